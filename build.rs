//! Generates the C header of `src/ffi.rs` for the shim, into cargo's own folder and nowhere else.
//!
//! The header in `xs/` is committed, so that reading the shim needs no build; `.ci/header-check` compares the two.

use std::{env, error::Error, path::Path};

/// Functions, and the `repr(C)` heads and words that the shim looks at without a call.
const SOURCES: [&str; 9] = [
    "src/runtime/shim_types.rs",
    "src/runtime/heap_visit.rs",
    "src/ffi.rs",
    "src/runtime/open_calls.rs",
    "src/runtime/interp.rs",
    "src/runtime/thread.rs",
    "src/runtime/hurdles.rs",
    "src/runtime/recording.rs",
    "src/runtime/generations.rs",
];

fn main() -> Result<(), Box<dyn Error>> {
    for source in SOURCES {
        println!("cargo::rerun-if-changed={source}");
    }
    println!("cargo::rerun-if-changed=cbindgen.toml");
    if env::var_os("CARGO_FEATURE_RUNTIME").is_none() {
        return Ok(());
    }
    let config = cbindgen::Config::from_file("cbindgen.toml")?;
    let builder = cbindgen::Builder::new().with_config(config);
    match SOURCES.iter().fold(builder, |builder, source| builder.with_src(source)).generate() {
        Ok(header) => {
            header.write_to_file(Path::new(&env::var("OUT_DIR")?).join("mprof_core.h"));
        }
        // rustc is about to say what is wrong, and better.
        Err(error) => println!("cargo::warning=no C header: {error}"),
    }
    Ok(())
}
