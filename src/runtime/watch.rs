//! How blocks are watched for their ends. As long as there is a recorder this stays as it is, so each of the allocator's hooks
//! is there once for each way.

use super::block_table::BlockTable;
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

/// A way.
pub type Watch = u8;
/// Not at all.
pub const NOT: Watch = 0;
/// By a table that is plain.
pub const PLAINLY: Watch = 1;
/// By a table that is not.
pub const WITH_CARE: Watch = 2;

static WATCH: AtomicU8 = AtomicU8::new(NOT);

/// From now on by that table. To be called before the first hook is there.
pub fn begin(blocks: Option<&BlockTable>) {
    let way = match blocks {
        None => NOT,
        Some(blocks) if blocks.is_plain() => PLAINLY,
        Some(_) => WITH_CARE,
    };
    WATCH.store(way, Relaxed);
}

/// The way.
pub fn way() -> Watch {
    WATCH.load(Relaxed)
}
