//! Every version is held to the same laws. What a version cannot do is declared
//! beside it with the reason, and the declaration is checked: a law that holds
//! although its breach is declared is a failure, too.

// ANCHOR: limits
mod threads {
    service_laws::suite!(
        service::threads::serve,
        one_client_too_many_is_told:
            "a thread for each, until the system has none left",
    );
}
mod top_down {
    service_laws::suite!(
        service::top_down::serve,
        clients_that_stay_are_all_served:
            "a job lasts as long as its client stays, and the pool has a fixed number of threads",
        one_client_too_many_is_told:
            "it waits in the queue of the pool, and nobody says so",
    );
}
mod bottom_up {
    service_laws::suite!(
        service::bottom_up::serve,
        one_client_too_many_is_told:
            "a thread and a loop for each, until the system has none left",
    );
}
mod tasks {
    service_laws::suite!(
        service::tasks::serve,
        a_slow_disk_keeps_no_client_waiting:
            "the write is on the loop, and every task waits for the loop",
        one_client_too_many_is_told:
            "a task for each, until the process has no descriptor left",
    );
}
mod fully_async {
    service_laws::suite!(service::fully_async::serve);
}
// ANCHOR_END: limits

#[test]
fn every_version_is_a_file_of_less_than_120_lines() {
    for service::Version { name, source, .. } in service::VERSIONS {
        // The marks of the listings are not read.
        let lines = source.lines().filter(|line| !line.starts_with("// ANCHOR")).count();
        assert!(lines < 120, "{name} has {lines} lines");
    }
}
