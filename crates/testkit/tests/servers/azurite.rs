//! Azure's blobs and their containers. What a client of object stores makes of them is tested with `larder-object`.

use crate::http::ask;
use larder_testkit::servers::Azurite;

#[test]
fn each_container_is_of_its_own() {
    let azure = Azurite::shared();
    assert_eq!(azure.url(), format!("http://127.0.0.1:{}/{}", azure.port(), Azurite::ACCOUNT));
    assert_ne!(azure.container(), azure.container());
}

#[test]
fn nobody_gets_in_without_the_key() {
    let azure = Azurite::shared();
    let path = format!("/{}/{}?restype=container", Azurite::ACCOUNT, azure.container());
    let answer = ask(azure.port(), "GET", &path, "");
    assert!(["HTTP/1.1 403", "HTTP/1.1 404"].iter().any(|refusal| answer.starts_with(refusal)), "{answer}");
}

#[test]
fn it_takes_containers_after_a_restart() {
    let azure = Azurite::start();
    azure.container();
    azure.restart();
    azure.container();
}
