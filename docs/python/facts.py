"""What the book says of Python, where it puts Python beside Rust: python3 facts.py.

A class is a table of the page, and a test the left side of a row or two.
"""

import asyncio
import io
import logging
import os
import threading
import time
import unittest
from concurrent.futures import ThreadPoolExecutor

import wrapper
from fully_async import WriteThread
from lines import INTERVAL, NoNewData, append, read_lines


class Threads(unittest.TestCase):
    def test_no_new_data_is_thrown_through_as_many_calls_as_there_are(self):
        def look():
            return read_lines(io.BytesIO(b"half a line"))

        with self.assertRaises(NoNewData):
            look()

    def test_who_forgets_the_lock_has_a_program_all_the_same(self):
        output = io.BytesIO()
        threads = [threading.Thread(target=append, args=(output, b"line\n")) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(output.getvalue(), b"line\n" * 3)

    def test_the_error_of_a_thread_is_printed_and_gone(self):
        printed = []
        self.addCleanup(setattr, threading, "excepthook", threading.excepthook)
        threading.excepthook = lambda args: printed.append(args.exc_type)
        thread = threading.Thread(target=lambda: 1 / 0)
        thread.start()
        self.assertIsNone(thread.join())
        self.assertEqual(printed, [ZeroDivisionError])

    def test_a_wait_for_the_stop_ends_with_the_interval_and_not_with_a_line(self):
        begin = time.monotonic()
        self.assertFalse(threading.Event().wait(INTERVAL))
        self.assertGreaterEqual(time.monotonic() - begin, INTERVAL)


class Mixed(unittest.IsolatedAsyncioTestCase):
    async def test_what_threads_send_to_the_loop_runs_there_one_at_a_time(self):
        loop = asyncio.get_running_loop()
        at_work, most, threads = 0, 0, set()

        async def write():
            nonlocal at_work, most
            at_work += 1
            most = max(most, at_work)
            threads.add(threading.current_thread())
            time.sleep(0.01)
            at_work -= 1

        def send():
            asyncio.run_coroutine_threadsafe(write(), loop).result()

        await asyncio.gather(*[asyncio.to_thread(send) for _ in range(3)])
        self.assertEqual((most, threads), (1, {threading.current_thread()}))

    async def test_the_next_file_waits_in_silence_and_is_read_at_the_stop(self):
        # A loop takes the pool that this makes.
        threads = ThreadPoolExecutor()._max_workers
        self.assertLessEqual(threads, 32)
        stop, begun = threading.Event(), threading.Semaphore(0)

        def tail():
            begun.release()
            stop.wait()

        tails = [asyncio.create_task(asyncio.to_thread(tail)) for _ in range(threads + 1)]
        for _ in range(threads):
            await wait_for(lambda: begun.acquire(blocking=False))
        await asyncio.sleep(INTERVAL)
        self.assertFalse(begun.acquire(blocking=False))
        stop.set()
        await asyncio.gather(*tails)
        self.assertTrue(begun.acquire(blocking=False))


class Wrapper(unittest.IsolatedAsyncioTestCase):
    async def test_a_wrapper_that_async_code_calls_fails_when_it_runs(self):
        nobody_awaits_it = self.assertWarns(RuntimeWarning)
        with nobody_awaits_it, self.assertRaisesRegex(RuntimeError, "running event loop"):
            wrapper.tail_file(io.BytesIO(), threading.Event(), print)

    async def test_a_loop_takes_three_descriptors(self):
        before = len(os.listdir("/proc/self/fd"))
        loop = asyncio.new_event_loop()
        self.assertEqual(len(os.listdir("/proc/self/fd")) - before, 3)
        loop.close()


class Tasks(unittest.IsolatedAsyncioTestCase):
    async def test_a_handle_is_used_by_whichever_thread_reads_it(self):
        handle = io.BytesIO(b"one\ntwo\n")
        self.assertEqual(await asyncio.to_thread(handle.readline), b"one\n")
        self.assertEqual(handle.readline(), b"two\n")

    async def test_a_task_stays_on_its_thread(self):
        async def task():
            await asyncio.sleep(INTERVAL / 10)
            return threading.current_thread()

        here = threading.current_thread()
        tasks = [asyncio.create_task(task()) for _ in range(10)]
        self.assertEqual(set(await asyncio.gather(*tasks)), {here})

    async def test_a_write_that_blocks_stops_every_task(self):
        looks = 0

        async def idle():
            nonlocal looks
            while True:
                looks += 1
                await asyncio.sleep(0)

        task = asyncio.create_task(idle())
        await wait_for(lambda: looks > 0)
        before = looks
        time.sleep(INTERVAL / 2)
        self.assertEqual(looks, before)
        await asyncio.sleep(0)
        self.assertGreater(looks, before)
        task.cancel()


class Debug(unittest.TestCase):
    def test_debug_says_so_when_it_is_over_with_a_name(self):
        async def slow():
            time.sleep(2 * asyncio.get_running_loop().slow_callback_duration)
            self.assertEqual(said.output, [])

        with self.assertLogs("asyncio", logging.WARNING) as said:
            asyncio.run(slow(), debug=True)
        self.assertRegex(said.output[0], r"Executing <Task .*slow.*> took 0\.\d+ seconds")


class Fully(unittest.IsolatedAsyncioTestCase):
    def test_a_thread_without_a_loop_gets_a_coroutine_and_nothing_is_done(self):
        made = []

        async def write():
            made.append(True)

        with ThreadPoolExecutor() as threads:
            given = threads.submit(write).result()
        self.assertTrue(asyncio.iscoroutine(given))
        self.assertEqual(made, [])
        given.close()

    async def test_async_with_awaits_the_end_of_the_thread(self):
        output = io.BytesIO()
        async with WriteThread(output) as writer:
            await writer.write(b"line\n")
            self.assertTrue(writer.thread.is_alive())
        self.assertFalse(writer.thread.is_alive())
        self.assertEqual(output.getvalue(), b"line\n")

    async def test_a_writer_can_be_used_after_its_end_and_fails_when_it_runs(self):
        async with WriteThread(io.BytesIO()) as writer:
            pass
        with self.assertWarns(RuntimeWarning), self.assertRaisesRegex(RuntimeError, "closed"):
            await writer.write(b"late\n")

    async def test_a_write_that_is_cancelled_may_have_been_made_or_not(self):
        made = threading.Event()

        class Output(io.BytesIO):
            def flush(self):
                made.set()

        output = Output()
        async with WriteThread(output) as writer:
            for lines, is_begun in ((b"begun\n", True), (b"not begun\n", False)):
                write = asyncio.create_task(writer.write(lines))
                if is_begun:
                    await asyncio.sleep(0)
                    # The loop waits as well, so the task does not hear of it.
                    self.assertTrue(made.wait(60))
                write.cancel()
                await asyncio.wait([write])
                self.assertTrue(write.cancelled())
        self.assertEqual(output.getvalue(), b"begun\n")


async def wait_for(is_so):
    """Waits until something is so, for a minute at most."""
    begin = time.monotonic()
    while not is_so():
        assert time.monotonic() - begin < 60
        await asyncio.sleep(0.001)


if __name__ == "__main__":
    unittest.main()
