//! The command, judged as any program is: from outside.

use std::time::Duration;

use conform::{LAWS, Template, judge};
use stages::STAGES;

use crate::process::BINARY;

/// No stage declares a limit that can be seen from outside, so each keeps all laws.
#[test]
fn every_stage_keeps_the_laws_that_can_be_seen_from_outside() {
    let laws: Vec<_> = LAWS.iter().collect();
    for stage in STAGES {
        let words = [BINARY, "--stage", stage.name, "--follow", "-o", "{output}", "{inputs}"];
        let template = Template::new(words.map(str::to_owned).to_vec()).unwrap();
        let judged = judge(&template, &laws, Duration::from_secs(60), &|| false).unwrap();
        assert!(judged.follows && judged.is_right(), "{}", conform::text(&[judged]));
    }
}
