//! What goes wrong is told in one line that names what and where, after a bounded time,
//! and the exit code says on which side it was.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use async_nats::jetstream::stream;
use system_tests::program;
use testkit::{Ended, Folder, until};
use workload::Backlog;

use crate::Scene;
use crate::between::Between;
use crate::server::STREAM;

/// The exit codes: the output has failed, or the stream that is read.
pub(crate) const OUTPUT: i32 = 3;
const SOURCE: i32 = 1;

impl Scene {
    /// Ships the line `one` to an address, with little patience.
    pub(crate) fn ship_one_to(&self, address: &str, flags: &[&str]) -> Ended {
        fs::write(self.folder.path("app.log"), "one\n").unwrap();
        let url = format!("{address}/{STREAM}");
        self.run(&[&["--output", &url, "app.log", "--patience", "1s"], flags].concat()).end()
    }

    fn ship_one(&self) -> Ended {
        self.ship_one_to(&format!("nats://{}", self.nats.address()), &[])
    }

    fn read_impatiently(&self) -> Ended {
        self.read(&["--patience", "1s", "--checkpoint", "checkpoint"]).end()
    }
}

/// Asks for one error with all of `parts` in it, and at most one warning: of a trouble
/// that was waited for.
#[track_caller]
pub(crate) fn is_told(ended: Ended, code: i32, parts: &[&str]) {
    let said = ended.with(code).stderr;
    let (warnings, error): (Vec<_>, Vec<_>) =
        said.lines().partition(|line| line.starts_with("warning: "));
    assert!(warnings.len() <= 1 && error.len() == 1, "{said}");
    for part in ["error: nats://", STREAM].iter().chain(parts) {
        assert!(error[0].contains(part), "{part} in: {said}");
    }
}

#[test]
fn a_host_that_is_not_there_is_named() {
    let scene = Scene::new();
    let unknown = scene.ship_one_to("nats://no-such-host.invalid", &[]);
    is_told(unknown, OUTPUT, &["no-such-host.invalid:4222", "no address", "tried for 1s"]);
    let refused = scene.ship_one_to("nats://127.0.0.1:9", &[]);
    is_told(refused, OUTPUT, &["127.0.0.1:9/", "Connection refused", "tried for 1s"]);
}

#[test]
fn a_server_that_never_answers_is_given_up() {
    let scene = Scene::new();
    scene.nats.pause();
    is_told(scene.ship_one(), OUTPUT, &["answer", "tried for 1s"]);
    is_told(scene.read_impatiently(), SOURCE, &["answer", "tried for 1s"]);
}

#[test]
fn a_server_that_falls_silent_is_given_up() {
    let scene = Scene::new();
    scene.folder.append("app.log", "one\n");
    let mut ship = scene.ship(&["-F", "app.log", "--patience", "1s"]);
    scene.until_shipped(&mut ship, 1);
    scene.nats.pause();
    scene.folder.append("app.log", "two\n");
    is_told(ship.end(), OUTPUT, &["tried for 1s"]);
}

#[test]
fn wrong_credentials_are_refused_at_once() {
    let scene = Scene::of("authorization { user: me, password: secret }");
    let address = scene.nats.address();
    is_told(scene.ship_one(), OUTPUT, &[&address, "wants a user and a password"]);
    let wrong = scene.ship_one_to(&format!("nats://me:wrong@{address}"), &[]);
    // Nothing is tried again, and no password is shown.
    assert!(!wrong.stderr.contains("tried"), "{}", wrong.stderr);
    assert!(!wrong.stderr.contains("wrong@"), "{}", wrong.stderr);
    is_told(wrong, OUTPUT, &[&address, "does not take the user"]);
    let right = scene.ship_one_to(&format!("nats://me:secret@{address}"), &[]);
    assert_eq!(right.with(0).stderr, "");
}

#[test]
fn tls_is_spoken_with_a_server_that_an_authority_has_signed() {
    let certificates = Certificates::make();
    let scene = Scene::of(&format!(
        "tls {{ cert_file: {:?}, key_file: {:?} }}",
        certificates.file("server.pem"),
        certificates.file("server.key")
    ));
    let port = scene.nats.port();
    let [ca, other] = ["ca.pem", "other.pem"].map(|name| certificates.file(name));
    let ship = |scheme: &str, flags: &[&str]| {
        scene.ship_one_to(&format!("{scheme}://localhost:{port}"), flags)
    };
    is_told(ship("nats", &[]), OUTPUT, &["localhost", "certificate", "UnknownIssuer"]);
    let other = ship("tls", &["--nats-ca", other.to_str().unwrap()]);
    is_told(other, OUTPUT, &["localhost", "certificate", "other.pem"]);
    let missing = ship("tls", &["--nats-ca", "missing.pem"]);
    is_told(missing, OUTPUT, &["missing.pem", "No such file"]);
    for scheme in ["nats", "tls"] {
        ship(scheme, &["--nats-ca", ca.to_str().unwrap()]).with(0);
    }
}

#[test]
fn a_server_that_wants_a_certificate_is_shown_one() {
    let certificates = Certificates::make();
    let file = |name| certificates.file(name).to_str().unwrap().to_owned();
    let scene = Scene::of(&format!(
        "tls {{ cert_file: {:?}, key_file: {:?}, ca_file: {:?}, verify: true }}",
        file("server.pem"),
        file("server.key"),
        file("ca.pem")
    ));
    let (address, ca) = (format!("tls://localhost:{}", scene.nats.port()), file("ca.pem"));
    let ship = |flags: &[&str]| scene.ship_one_to(&address, &[&["--nats-ca", &ca], flags].concat());
    is_told(ship(&[]), OUTPUT, &["localhost", "--nats-cert"]);
    let missing = ship(&["--nats-cert", "missing.pem", "--nats-key", &file("server.key")]);
    is_told(missing, OUTPUT, &["missing.pem", "No such file"]);
    let other = ship(&["--nats-cert", &file("other.pem"), "--nats-key", &file("other.key")]);
    is_told(other, OUTPUT, &["does not take", "other.pem"]);
    ship(&["--nats-cert", &file("server.pem"), "--nats-key", &file("server.key")]).with(0);
}

#[test]
fn tls_alone_is_not_given_up_for_a_server_without() {
    let scene = Scene::new();
    let ended = scene.ship_one_to(&format!("tls://{}", scene.nats.address()), &[]);
    is_told(ended, OUTPUT, &["does not speak TLS"]);
}

#[test]
fn a_server_without_streams_is_told_from_one_without_this_stream() {
    let without = Scene::of("# no jetstream");
    is_told(without.ship_one(), OUTPUT, &["JetStream is not enabled"]);
    is_told(without.read_impatiently(), SOURCE, &["JetStream is not enabled"]);
    is_told(Scene::new().read_impatiently(), SOURCE, &["no such stream"]);
}

#[test]
fn a_stream_of_other_subjects_is_told() {
    let scene = Scene::new();
    scene.nats.ask(async |server| {
        let subjects = vec!["orders.>".to_owned()];
        let config = stream::Config { name: STREAM.to_owned(), subjects, ..Default::default() };
        server.create_stream(config).await.map(drop).unwrap();
    });
    is_told(scene.ship_one(), OUTPUT, &["orders.>", "add log.>"]);
}

#[test]
fn a_second_stream_of_the_same_subjects_is_told_of_the_first() {
    let scene = Scene::new();
    scene.ship_one().with(0);
    let second = format!("nats://{}/OTHER", scene.nats.address());
    let said = scene.run(&["--output", &second, "app.log"]).end().with(OUTPUT).stderr;
    assert!(said.contains("another stream of this server takes log.>"), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
}

#[test]
fn a_stream_that_is_not_there_leaves_the_output_as_it_is() {
    let scene = Scene::new();
    scene.folder.append("merged", "of yesterday\n");
    is_told(scene.read(&[]).end(), SOURCE, &["no such stream"]);
    assert_eq!(scene.folder.read("merged"), "of yesterday\n");
    // Once the server knows the stream, the output starts anew, also from an empty stream.
    scene.nats.make(stream::Config::default());
    assert_eq!(scene.merged(), "");
}

#[test]
fn a_full_stream_is_told_and_goes_on_when_there_is_room() {
    let scene = Scene::new();
    scene.nats.make(stream::Config { max_messages: 1, ..Default::default() });
    scene.folder.append("app.log", "one\n");
    let flags = ["-F", "--checkpoint", "shipped", "app.log"];
    let mut ship = scene.ship(&flags);
    scene.until_shipped(&mut ship, 1);
    scene.folder.append("app.log", "two\n");
    until("it is told", || ship.said().contains("the stream is full"));
    drop(ship);
    let impatient = scene.ship(&["--patience", "1s", "--checkpoint", "shipped", "app.log"]).end();
    is_told(impatient, OUTPUT, &["the stream is full", "maximum messages", "tried for 1s"]);

    // A reader has taken the first message, and a purge makes room.
    let ship = scene.ship(&flags);
    until("it is told", || ship.said().contains("the stream is full"));
    assert_eq!(scene.merged(), "one\n");
    scene.nats.purge();
    until("there is room", || scene.nats.messages() == 1);
    ship.terminate().with(0);
    assert_eq!(scene.merged(), "two\n");
}

#[test]
fn a_trouble_of_many_logs_is_told_once_as_long_as_it_lasts() {
    let scene = Scene::new();
    scene.nats.make(stream::Config { max_messages: 1, ..Default::default() });
    // More logs than chunks may be on their way: while some are refused, others still wait.
    Backlog { files: 300, bytes: 100 }.make(&scene.folder.path("logs"), 1).unwrap();
    let ended = scene.ship(&["--watch", "logs/*.log", "--patience", "3s"]).end();
    let said = |what| ended.stderr.matches(what).count();
    assert_eq!((said("tried again for"), said("answers again")), (1, 0), "{}", ended.stderr);
}

#[test]
fn a_line_longer_than_a_message_is_named_and_ends_no_other_source() {
    let scene = Scene::of("max_payload: 4000");
    let long = format!("short\n{}\nafter\n", "x".repeat(5_000));
    scene.folder.append("long.log", &long);
    let other: String = (0..2_000).map(|number| format!("line {number}\n")).collect();
    scene.folder.append("other.log", &other);
    let ended = scene.ship(&["long.log", "other.log"]).end();
    is_told(ended, OUTPUT, &["long.log", "byte 6", "longer than a message", "max_payload"]);
    let merged = scene.merged();
    let of_other: String = merged.split_inclusive('\n').filter(|it| *it != "short\n").collect();
    assert!(of_other == other, "{of_other}");
    // With the long line cut, as the error advises.
    fs::remove_file(scene.folder.path("other.log")).unwrap();
    scene.ship(&["long.log", "--host-name", "cut", "--max-line", "100"]).end().with(0);
    let cut = format!("short\n{}\nafter\n", "x".repeat(100));
    assert!(scene.merged().ends_with(&cut));
}

#[test]
fn what_was_purged_before_it_was_read_is_an_error_and_nothing_is_written_twice() {
    let scene = Scene::new();
    let mut ship_and_read = {
        let scene = &scene;
        let mut number = 0;
        move || {
            number += 1;
            scene.folder.append("app.log", &format!("{number}\n"));
            scene.ship(&["--checkpoint", "shipped", "app.log"]).end().with(0);
            scene.read_impatiently()
        }
    };
    ship_and_read().with(0);
    scene.nats.purge();
    // The lines that are gone are in the output already.
    ship_and_read().with(0);
    scene.folder.append("app.log", "lost\n");
    scene.ship(&["--checkpoint", "shipped", "app.log"]).end().with(0);
    scene.nats.purge();
    is_told(ship_and_read(), SOURCE, &["messages 3 to 3 are gone"]);
    assert_eq!(scene.folder.read("merged"), "1\n2\n");
}

#[test]
fn a_stream_that_was_made_anew_is_no_longer_the_one_that_was_read() {
    let scene = Scene::new();
    scene.folder.append("app.log", "one\n");
    scene.ship(&["app.log"]).end().with(0);
    scene.read_impatiently().with(0);
    scene.nats.delete();
    // The new stream has more messages than the old one.
    for host in ["a", "b"] {
        scene.ship(&["app.log", "--host-name", host]).end().with(0);
    }
    is_told(scene.read_impatiently(), SOURCE, &["of this name that is gone"]);
    assert_eq!(scene.folder.read("merged"), "one\n");
}

#[test]
fn what_was_purged_before_the_first_message_was_read_is_an_error() {
    let scene = Scene::new();
    scene.nats.make(stream::Config::default());
    let between = Between::open(scene.nats.address());
    let url = format!("nats://{}/{STREAM}", between.address());
    let read = scene.run(&["-F", "--from", &url, "--output", "merged"]);
    until("the stream is read", || scene.nats.consumers() == 1);
    // The message is lost on the way, and is gone when it is asked for again.
    between.hold_answers();
    scene.ship_one().with(0);
    scene.nats.purge();
    between.cut();
    let said = read.end().with(SOURCE).stderr;
    assert!(said.contains("messages 1 to 1 are gone"), "{said}");
}

#[test]
fn a_server_that_bounds_how_much_is_asked_for_at_once_is_read() {
    let store = Folder::new();
    let scene = Scene::of(&format!(
        "jetstream {{ store_dir: {:?}, limits {{ max_request_batch: 100 }} }}",
        store.folder()
    ));
    scene.ship_one().with(0);
    assert_eq!(scene.merged(), "one\n");
}

#[test]
fn what_a_user_may_not_ask_is_told() {
    let scene = Scene::of(
        r#"authorization { users = [
            { user: me, password: p, permissions: { publish: { deny: ["$JS.API.>"] } } }
        ] }"#,
    );
    scene.folder.append("app.log", "one\n");
    let url = format!("nats://me:p@{}/{STREAM}", scene.nats.address());
    // So long that the last of several tries is cut short.
    let ended = scene.run(&["--output", &url, "app.log", "--patience", "6s"]).end();
    is_told(ended, OUTPUT, &["Permissions Violation", "$JS.API.STREAM.INFO", "tried for 6s"]);
}

#[test]
fn a_line_longer_than_a_message_of_the_stream_is_told_apart() {
    let scene = Scene::new();
    scene.nats.make(stream::Config { max_message_size: 2048, ..Default::default() });
    scene.folder.append("long.log", &format!("{}\n", "x".repeat(5_000)));
    let ended = scene.ship(&["long.log"]).end();
    is_told(ended, OUTPUT, &["longer than a message", "max_msg_size of the stream"]);
}

#[test]
fn a_silent_server_is_given_up_for_all_logs_at_once() {
    let scene = Scene::new();
    // More logs than chunks may be on their way.
    Backlog { files: 300, bytes: 100 }.make(&scene.folder.path("logs"), 1).unwrap();
    let between = Between::open(scene.nats.address());
    between.fall_silent();
    let url = format!("nats://{}/{STREAM}", between.address());
    let ship = scene.run(&["--output", &url, "--watch", "logs/*.log", "--patience", "1s"]);
    is_told(ship.end(), OUTPUT, &["tried for 1s"]);
    // For none of the others was the server waited once more.
    assert!(between.logs() < 290, "{}", between.logs());
}

#[test]
fn a_stream_that_forgets_messages_is_told_of() {
    for limits in [
        stream::Config { max_age: Duration::from_secs(3600), ..Default::default() },
        stream::Config { retention: stream::RetentionPolicy::Interest, ..Default::default() },
    ] {
        let scene = Scene::new();
        scene.nats.make(limits);
        let said = scene.ship_one().with(0).stderr;
        assert!(said.contains("lines that nobody has read by then are lost"), "{said}");
    }
}

/// An authority, the certificate that it has signed for `localhost`, and another authority.
struct Certificates(Folder);

impl Certificates {
    fn make() -> Certificates {
        let folder = Folder::new();
        let openssl = |arguments: &str| {
            let mut openssl = program("openssl", "openssl");
            openssl.args(arguments.split(' ')).current_dir(folder.folder());
            let done = openssl.output().unwrap();
            assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        };
        let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
        for name in ["ca", "other"] {
            openssl(&format!(
                "req -x509 {key} -keyout {name}.key -out {name}.pem -subj /CN={name}"
            ));
        }
        openssl(&format!(
            "req {key} -keyout server.key -out server.csr -subj /CN=localhost \
             -addext subjectAltName=DNS:localhost"
        ));
        openssl(
            "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial \
             -copy_extensions copy -out server.pem",
        );
        Certificates(folder)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.path(name)
    }
}
