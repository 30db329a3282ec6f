//! Compresses the script of the API reference, Scalar (MIT), which its makers publish as a crate: the binary
//! holds a quarter of its bytes, and no server ever compresses it.

use std::{env, fs::File, io::Write as _, path::Path};

use flate2::{Compression, write::GzEncoder};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let script = scalar_api_reference::get_asset("scalar.js").expect("the crate embeds its script");
    let folder = env::var_os("OUT_DIR").expect("cargo sets it");
    let file = File::create(Path::new(&folder).join("scalar.js.gz")).expect("the folder is writable");
    let mut encoder = GzEncoder::new(file, Compression::best());
    encoder.write_all(&script).expect("the disk has room");
    encoder.finish().expect("the disk has room");
}
