//! Has the core compiled for models.

fn main() {
    println!("cargo::rustc-cfg=larder_shuttle");
    // No model has such keys.
    println!("cargo::rustc-check-cfg=cfg(feature, values(\"uuid\"))");
    println!("cargo::rerun-if-changed=build.rs");
}
