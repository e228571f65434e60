//! The messages of a pprof profile, as far as we write them.
//!
//! Written after `proto/profile.proto` of github.com/google/pprof (Copyright 2016 Google Inc., Apache License 2.0):
//! fields have its names, numbers and types, so that no protoc is needed to build. Fields left out are those that
//! describe machine code.

/// A profile. Strings stand in a table of their own; all else says their index.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Profile {
    /// What each of a sample's values is.
    #[prost(message, repeated, tag = "1")]
    pub(super) sample_type: Vec<ValueType>,
    /// The samples.
    #[prost(message, repeated, tag = "2")]
    pub(super) sample: Vec<Sample>,
    /// Objects that locations are in.
    #[prost(message, repeated, tag = "3")]
    pub(super) mapping: Vec<Mapping>,
    /// Locations that samples refer to.
    #[prost(message, repeated, tag = "4")]
    pub(super) location: Vec<Location>,
    /// Functions that locations refer to.
    #[prost(message, repeated, tag = "5")]
    pub(super) function: Vec<Function>,
    /// The strings; the first is empty.
    #[prost(string, repeated, tag = "6")]
    pub(super) string_table: Vec<String>,
    /// When it was recorded, in nanoseconds since 1970 UTC.
    #[prost(int64, tag = "9")]
    pub(super) time_nanos: i64,
    /// For how long, in nanoseconds.
    #[prost(int64, tag = "10")]
    pub(super) duration_nanos: i64,
    /// Words for people, as strings' indices.
    #[prost(int64, repeated, tag = "13")]
    pub(super) comment: Vec<i64>,
    /// Type of the value that is shown unless another is asked for.
    #[prost(int64, tag = "14")]
    pub(super) default_sample_type: i64,
}

/// What a value is.
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub(super) struct ValueType {
    /// Its name.
    #[prost(int64, tag = "1")]
    pub(super) r#type: i64,
    /// Its unit.
    #[prost(int64, tag = "2")]
    pub(super) unit: i64,
}

/// Values of a stack.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Sample {
    /// The stack as ids of locations, the innermost first.
    #[prost(uint64, repeated, tag = "1")]
    pub(super) location_id: Vec<u64>,
    /// A value for each sample type.
    #[prost(int64, repeated, tag = "2")]
    pub(super) value: Vec<i64>,
    /// What else is known of it.
    #[prost(message, repeated, tag = "3")]
    pub(super) label: Vec<Label>,
}

/// A word on a sample.
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub(super) struct Label {
    /// What it tells of.
    #[prost(int64, tag = "1")]
    pub(super) key: i64,
    /// What it tells.
    #[prost(int64, tag = "2")]
    pub(super) str: i64,
}

/// An object that locations are in.
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub(super) struct Mapping {
    /// From 1 on.
    #[prost(uint64, tag = "1")]
    pub(super) id: u64,
    /// Its path.
    #[prost(int64, tag = "5")]
    pub(super) filename: i64,
    /// Are the functions of its locations known? Then no tool looks for symbols.
    #[prost(bool, tag = "7")]
    pub(super) has_functions: bool,
    /// Are the files?
    #[prost(bool, tag = "8")]
    pub(super) has_filenames: bool,
    /// Are the lines?
    #[prost(bool, tag = "9")]
    pub(super) has_line_numbers: bool,
}

/// A line of a function.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Location {
    /// From 1 on.
    #[prost(uint64, tag = "1")]
    pub(super) id: u64,
    /// The object it is in.
    #[prost(uint64, tag = "2")]
    pub(super) mapping_id: u64,
    /// Where it is; several only where functions were inlined.
    #[prost(message, repeated, tag = "4")]
    pub(super) line: Vec<Line>,
}

/// Where a location is.
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub(super) struct Line {
    /// Id of the function.
    #[prost(uint64, tag = "1")]
    pub(super) function_id: u64,
    /// The line of its file.
    #[prost(int64, tag = "2")]
    pub(super) line: i64,
}

/// A function. Its `system_name` (field 3) is left out on purpose: a tool that finds it to be the same as `name`
/// takes `Foo::(eval)` for C++, and drops what stands in brackets.
#[derive(Clone, Copy, PartialEq, Eq, Hash, prost::Message)]
pub(super) struct Function {
    /// From 1 on.
    #[prost(uint64, tag = "1")]
    pub(super) id: u64,
    /// Its name.
    #[prost(int64, tag = "2")]
    pub(super) name: i64,
    /// Its file.
    #[prost(int64, tag = "4")]
    pub(super) filename: i64,
    /// Where it begins in the file.
    #[prost(int64, tag = "5")]
    pub(super) start_line: i64,
}
