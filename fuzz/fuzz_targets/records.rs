//! Any payloads in chunks whose checksum is right, so that the fuzzer gets past it to the reader's own rules.
//! The input: kind, length, payload, again and again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mprof::format::records::Header;
use mprof::format::{decode_chunk, encode_chunk, encode_prefix, Record};
use mprof::tools::profile::Profile;
use mprof::tools::reader::{read_keeping, Keep};
use mprof::tools::render::json::json;
use mprof::tools::report::{document, Options, REPORTS};
use std::path::Path;

/// `payload` as a chunk of that kind, stored as it is.
fn chunk(kind: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![kind, 0];
    bytes.extend_from_slice(&(payload.len() as u32).to_le_bytes());
    let mut crc = 0xffff_ffff_u32;
    for &byte in bytes.iter().chain(payload) {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
        }
    }
    bytes.extend_from_slice(&(!crc).to_le_bytes());
    bytes.extend_from_slice(payload);
    bytes
}

fuzz_target!(|input: &[u8]| {
    let mut trace = encode_prefix();
    if encode_chunk(&Record::Header(Header::default()), &mut trace).is_err() {
        return;
    }
    let mut rest = input;
    while let [kind, length, more @ ..] = rest {
        let (payload, after) = more.split_at(usize::from(*length).min(more.len()));
        let chunk = chunk(kind % 17 + 2, payload);
        // A chunk that is malformed would hide all that follow it.
        if decode_chunk(&chunk).is_ok() {
            trace.extend(chunk);
        }
        rest = after;
    }
    let Ok(trace) = read_keeping(Path::new("fuzz"), Keep::History, trace.as_slice()) else { return };
    let profile = Profile::new(trace);
    for report in REPORTS {
        if let Ok(document) = document(*report, &profile, &Options::default()) {
            json(&document);
        }
    }
});
