//! What an operation costs in memory.

use allocation_counter::measure;
use recorder::Recorder;
use tracing::subscriber::with_default;
use tracing::warn_span;
use tracing_subscriber::layer::SubscriberExt;

const OPERATIONS: usize = 10_000;

fn operations(count: usize) {
    for operation in 0..count {
        let source = ["/var/log/nginx/access.log", "/var/log/syslog"][operation % 2];
        let _span = warn_span!(target: "tributary", "append", %source).entered();
    }
}

#[test]
fn an_operation_takes_no_allocation_and_32_bytes_and_beyond_the_limit_nothing() {
    let recorder = Recorder::new(2 * OPERATIONS);
    with_default(tracing_subscriber::registry().with(recorder.layer()), || {
        // What a thread allocates once.
        operations(2);
        let kept = measure(|| operations(OPERATIONS));
        // The list of operations doubles, from 4 to 16,384 places.
        assert!(kept.count_total <= 12, "{kept:?}");
        assert!(kept.bytes_current <= 32 * 16_384, "{kept:?}");

        operations(OPERATIONS);
        let beyond = measure(|| operations(OPERATIONS));
        assert_eq!(beyond.count_total, 0, "{beyond:?}");
    });
    let recording = recorder.recording();
    assert_eq!(recording.operations.len(), 2 * OPERATIONS);
    assert_eq!(recording.left_out, OPERATIONS as u64 + 2);
}

#[test]
fn a_thread_that_outlives_its_recorder_keeps_nothing_of_it() {
    let kept = measure(|| {
        let recorder = Recorder::new(OPERATIONS);
        with_default(tracing_subscriber::registry().with(recorder.layer()), || {
            operations(OPERATIONS);
        });
    });
    // Only the few bytes that the thread itself keeps.
    assert!(kept.bytes_current < 8 * 1024, "{kept:?}");
}
