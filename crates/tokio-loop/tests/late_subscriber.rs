//! A subscriber that is there only once the loop runs.
//!
//! One test in a process of its own: the subscriber is for all of its threads.

#[expect(dead_code, reason = "the other tests of the debug mode use it all")]
mod told;

use told::Told;
use tracing_subscriber::layer::SubscriberExt;

#[test]
fn a_subscriber_that_main_installs_hears_of_the_stalls() {
    let told = Told::default();
    for run in 1..=2 {
        let main = async {
            if run == 1 {
                let subscriber = tracing_subscriber::registry().with(told.clone());
                tracing::subscriber::set_global_default(subscriber).unwrap();
            }
            // Blocks until it is told, of the second run as well.
            told.wait_for(2 * run - 1);
        };
        tokio_loop::run(1, Some(tokio_loop::SLOW), main).unwrap();
        // The loop has ended, and with it its watch.
        assert_eq!(told.lines().len(), 2 * run);
    }
}
