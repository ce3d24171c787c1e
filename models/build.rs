//! Has the core compiled for models.

fn main() {
    println!("cargo::rustc-cfg=larder_shuttle");
    // No model has such keys, or such bugs.
    println!("cargo::rustc-check-cfg=cfg(feature, values(\"uuid\", \"planted\"))");
    println!("cargo::rerun-if-changed=build.rs");
}
