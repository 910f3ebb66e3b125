//! Hands the memory map to the linker: that of a whole chip, or with the feature `uf2` of one with its bootloader.
//! Neither is called memory.x here: the linker looks for that name in this folder first.

use std::path::PathBuf;
use std::{env, fs};

fn main() {
    let uf2 = env::var_os("CARGO_FEATURE_UF2").is_some();
    let map = if uf2 { "memory-uf2.x" } else { "memory-whole.x" };
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    fs::copy(map, out.join("memory.x")).expect("a memory map");
    println!("cargo:rustc-link-search={}", out.display());
    println!("cargo:rustc-link-arg-bins=-Tlink.x");
    println!("cargo:rustc-link-arg-bins=--nmagic");
    println!("cargo:rerun-if-changed={map}");
}
