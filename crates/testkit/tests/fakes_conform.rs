//! The fakes pass the suite that they are used in.

mod fake {
    larder_testkit::conformance!(values, || async { larder_testkit::Fake::<str, bytes::Bytes>::new() });
}

mod remote_fake {
    larder_testkit::conformance!(values, || async { larder_testkit::Fake::<str, bytes::Bytes>::remote() });
}

mod fake_bytes {
    larder_testkit::conformance!(bytes, || async { larder_testkit::FakeBytes::new() });
}

mod boxed_bytes {
    use larder_core::BoxedBytes;

    larder_testkit::conformance!(bytes, || async { BoxedBytes::new(larder_testkit::FakeBytes::new()) });
}
