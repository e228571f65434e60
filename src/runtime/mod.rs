//! What runs inside the profiled process.
//!
//! | file | its one job |
//! |---|---|
//! | `options` | what the run was asked to do |
//! | `interpose`, `watch` | stands between the program and its allocator |
//! | `running`, `recording`, `hurdles`, `lock`, `thread` | the way from a hook into the recorder |
//! | `recorder` | what an event changes |
//! | `interp`, `open_calls`, `coroutines`, `sub_cache`, `statement_cache`, `hot_statements`, `generations`, `eval_origins`, `pools` | what is known of perl |
//! | `scalar_ledger`, `mirror`, `arena_pages`, `birth_notes`, `births`, `deaths` | where and when every live scalar was born |
//! | `strings`, `locations`, `call_tree`, `frees`, `places`, `block_table` | what figures belong to |
//! | `shim_types` | what the shim hands over |
//! | `paged`, `narrow`, `id_table`, `chains`, `bit_set`, `direct_mapped` | how the big ones of these grow and stay small, and how caches do |
//! | `statm`, `own_memory`, `own_heap`, `reserve` | the process's pages, the profiler's own bytes, where they are, and what it has put by |
//! | `call_stream` | with `calls=1`: each entry and exit |
//! | `marks` | units of the program's work |
//! | `heap_sample`, `heap_visit` | which scalars live on, and what refers to them |
//! | `session`, `snapshot`, `header`, `trace_state` | when what is written |
//! | `writer`, `trace_file`, `compressor`, `high_fd` | the writing of it |
//! | `libc_threads` | that libc need not know of the thread that does it |
//! | `complaint`, `system_words` | what has to be said meanwhile |
//!
//! It allocates nothing through perl, runs no Perl code, takes no lock while there is one thread, and does not panic.

#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::indexing_slicing))]

mod arena_pages;
mod birth_notes;
mod births;
mod bit_set;
pub mod block_table;
mod call_stream;
mod call_tree;
mod chains;
pub mod complaint;
mod compressor;
mod coroutines;
mod deaths;
mod direct_mapped;
mod eval_origins;
mod frees;
pub mod generations;
mod header;
mod heap_sample;
pub mod heap_visit;
mod high_fd;
pub mod hot_statements;
pub mod hurdles;
mod id_table;
pub mod interp;
mod interpose;
mod libc_threads;
pub mod locations;
mod lock;
mod marks;
mod mirror;
mod narrow;
mod open_calls;
pub mod options;
mod own_heap;
mod own_memory;
mod paged;
pub mod places;
mod pools;
pub mod recorder;
pub mod recording;
mod reserve;
pub mod running;
pub mod scalar_ledger;
pub mod session;
pub mod shim_types;
mod snapshot;
mod statement_cache;
mod statm;
mod strings;
pub mod sub_cache;
mod system_words;
pub mod thread;
mod trace_file;
mod trace_state;
mod watch;
mod writer;
