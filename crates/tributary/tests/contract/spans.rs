//! What may block a thread says so, in a span.

use crate::common::Place;
use crate::common::said::Said;
use tributary::Options;

#[test]
fn a_read_an_append_and_the_finish_name_what_they_are_about() {
    let place = Place::new();
    let names = ["a.log", "b\n.log"];
    names.iter().for_each(|name| drop(place.append(name, "one\n")));
    let said = Said::here();
    place.run(&names, Options::default());
    let folder = place.path("");
    let of = |span, name| format!("WARN tributary: {span}={}{name}\n", folder.display());
    let [read, append] = ["read_lines source", "append source"];
    // On one line, whatever the name of the file is.
    let (a, b) = ("a.log", r"b\n.log");
    let expected = [(read, a), (append, a), (read, a), (read, b), (append, b), (read, b)]
        .map(|it| of(it.0, it.1));
    assert_eq!(said.spans(), expected.concat() + &of("finish output", "merged.log"));
}
