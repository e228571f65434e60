//! Documents to text and JSON. Each format is a file of its own and knows nothing of the other.
//!
//! Nothing here decides what is shown; nothing here writes anywhere but into the string it returns.

mod grid;
pub mod json;
mod printable;
mod shorten;
pub mod text;
mod units;

pub use printable::printable;
pub use shorten::{keep_end, keep_ends};
pub use units::human;
pub(super) use units::{instant_key, value_text, Precision};
