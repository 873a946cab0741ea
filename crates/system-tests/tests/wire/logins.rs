//! Which credentials a server takes, and how others are refused.

use std::fs;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use nkeys::KeyPair;
use serde_json::{Value, json};

use crate::Scene;
use crate::errors::{OUTPUT, is_told};
use crate::server::Nats;
use testkit::Folder;

/// Ships the line `one` to servers with this configuration, and logs in with a file called
/// `name`. With the right text in it the line arrives; any other text is an error.
fn opens(config: &str, name: &str, right: &str, wrong: &str) {
    for program in Nats::programs() {
        let nats = Nats::start_program(&program, config);
        let scene = Scene { folder: Folder::new(), nats };
        let address = format!("nats://{}", scene.nats.address());
        let ship = |text: &str| {
            fs::write(scene.folder.path(name), text).unwrap();
            scene.ship_one_to(&address, &["--nats-creds", name])
        };
        is_told(ship(wrong), OUTPUT, &[&format!("does not take what is in {name}")]);
        is_told(ship("no key\n"), OUTPUT, &[name, "neither credentials nor the seed of an NKey"]);
        let missing = scene.ship_one_to(&address, &["--nats-creds", "missing"]);
        is_told(missing, OUTPUT, &["missing", "No such file"]);
        assert_eq!(ship(right).with(0).stderr, "");
    }
}

#[test]
fn the_seed_of_an_nkey_logs_in() {
    let [right, wrong] = [KeyPair::new_user(), KeyPair::new_user()];
    let config = format!("authorization {{ users: [ {{ nkey: {} }} ] }}", right.public_key());
    let [right, wrong] = [right, wrong].map(|key| format!("{}\n", key.seed().unwrap()));
    opens(&config, "seed.nk", &right, &wrong);
}

#[test]
fn the_credentials_of_a_user_log_in() {
    let (operator, user) = (KeyPair::new_operator(), KeyPair::new_user());
    let (account, system) = (KeyPair::new_account(), KeyPair::new_account());
    let anything = json!({
        "mem_storage": -1, "disk_storage": -1, "streams": -1, "consumer": -1, "subs": -1,
        "conn": -1, "leaf": -1, "imports": -1, "exports": -1, "data": -1, "payload": -1,
        "wildcards": true,
    });
    let limits = json!({ "type": "account", "limits": anything });
    let config = format!(
        "operator: {}\nsystem_account: {}\nresolver: MEMORY\n\
         resolver_preload: {{ {}: {}, {}: {} }}",
        signed(&operator, &operator, json!({ "type": "operator" })),
        system.public_key(),
        system.public_key(),
        signed(&operator, &system, json!({ "type": "account" })),
        account.public_key(),
        signed(&operator, &account, limits),
    );
    let credentials = |account: &KeyPair| {
        let allowed = json!({ "type": "user", "subs": -1, "data": -1, "payload": -1 });
        format!(
            "-----BEGIN NATS USER JWT-----\n{}\n------END NATS USER JWT------\n\n\
             -----BEGIN USER NKEY SEED-----\n{}\n------END USER NKEY SEED------\n",
            signed(account, &user, allowed),
            user.seed().unwrap()
        )
    };
    let (right, wrong) = (credentials(&account), credentials(&KeyPair::new_account()));
    opens(&config, "app.creds", &right, &wrong);
}

/// Returns a JWT of NATS about `subject`.
fn signed(issuer: &KeyPair, subject: &KeyPair, mut says: Value) -> String {
    says["version"] = json!(2);
    let claims = json!({
        "jti": subject.public_key(),
        "iat": 1_700_000_000,
        "iss": issuer.public_key(),
        "sub": subject.public_key(),
        "name": "test",
        "nats": says,
    });
    let encoded = |value: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(value);
    let header = json!({ "typ": "JWT", "alg": "ed25519-nkey" });
    let [header, claims] = [header, claims].map(|it| encoded(it.to_string().as_bytes()));
    let signature = issuer.sign(format!("{header}.{claims}").as_bytes()).unwrap();
    format!("{header}.{claims}.{}", encoded(&signature))
}
