//! S3 and its buckets. What a client of object stores makes of them is tested with `larder-object`.

use crate::http::ask;
use larder_testkit::servers::Moto;

#[test]
fn each_bucket_is_empty_and_of_its_own() {
    let s3 = Moto::shared();
    let (mine, yours) = (s3.bucket(), s3.bucket());

    assert!(ask(s3.port(), "PUT", &format!("/{mine}/ada"), "36").starts_with("HTTP/1.1 200"));

    assert!(ask(s3.port(), "GET", &format!("/{mine}/ada"), "").ends_with("\r\n\r\n36"));
    assert!(ask(s3.port(), "GET", &format!("/{yours}/ada"), "").starts_with("HTTP/1.1 404"));
}

#[test]
fn it_is_empty_after_a_restart() {
    let s3 = Moto::start();
    let bucket = s3.bucket();

    s3.kill();
    s3.restart();

    assert!(ask(s3.port(), "GET", &format!("/{bucket}"), "").starts_with("HTTP/1.1 404"));
    s3.bucket();
}
