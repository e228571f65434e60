/* What the Rust core offers to the shim. */

#ifndef MPROF_CORE_H
#define MPROF_CORE_H

/* Generated from src/ffi.rs: change that, then run .ci/header-update. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// The count that a free scalar's head carries once the ledger has seen it.
#define MPROF_STAMP 1833988710

// How many figures [`mprof_stats`] gives.
#define MPROF_STATS 12

// See [`mprof_call`].
#define MPROF_NO_NODE UINT32_MAX

// Something waits for the next boundary: a tick, a snapshot that is due, a pool that may have grown, a fork.
#define MPROF_WAITS 4

// A scalar's type.
enum MprofKind
#if __STDC_VERSION__ >= 202311L
  : uint8_t
#endif // __STDC_VERSION__ >= 202311L
 {
    MPROF_KIND_PLAIN,
    MPROF_KIND_REFERENCE,
    MPROF_KIND_ARRAY,
    MPROF_KIND_HASH,
    MPROF_KIND_STASH,
    MPROF_KIND_CODE,
    MPROF_KIND_GLOB,
    MPROF_KIND_REGEXP,
    MPROF_KIND_IO,
    MPROF_KIND_FORMAT,
    MPROF_KIND_LVALUE,
    MPROF_KIND_OBJECT,
    MPROF_KIND_OTHER,
};
#if __STDC_VERSION__ >= 202311L
typedef enum MprofKind MprofKind;
#else
typedef uint8_t MprofKind;
#endif // __STDC_VERSION__ >= 202311L

// A way in which one scalar refers to another.
enum MprofEdge
#if __STDC_VERSION__ >= 202311L
  : uint8_t
#endif // __STDC_VERSION__ >= 202311L
 {
    MPROF_EDGE_REFERENT,
    MPROF_EDGE_WEAK,
    MPROF_EDGE_ELEMENT,
    MPROF_EDGE_VALUE,
    MPROF_EDGE_VARIABLES,
    MPROF_EDGE_OUTER,
    MPROF_EDGE_SLOT,
    MPROF_EDGE_CLASS,
    MPROF_EDGE_NAMED_BY,
    MPROF_EDGE_MAGIC,
    MPROF_EDGE_INTERNAL,
};
#if __STDC_VERSION__ >= 202311L
typedef enum MprofEdge MprofEdge;
#else
typedef uint8_t MprofEdge;
#endif // __STDC_VERSION__ >= 202311L

// A piece of text that need not end with a zero.
typedef struct MprofText {
    // First byte; may be null when `length` is 0.
    const char *start;
    // Length, in bytes.
    size_t length;
} MprofText;

// A head of a [`Visit`], which the shim looks at without a call.
typedef struct HeapVisit {
    // A bit for each hash of an address that is sought; null where nothing is.
    const uint64_t *filter;
    // 64 − log2 of the number of bits.
    uint32_t shift;
    // Are names and single buffers to be told?
    bool detailed;
    // Where they are not: the bytes that were asked for all its buffers.
    uint64_t asked_bytes;
    // A scalar that is told of a little later, so that its memory can be fetched meanwhile; null where that is not known.
    const void *ahead;
} HeapVisit;

// How the shim describes a sub.
typedef struct MprofSub {
    // Written in C?
    bool is_xsub;
    // Package.
    struct MprofText package;
    // Name without the package.
    struct MprofText name;
    // File of its body.
    struct MprofText file;
    // First line of its body, 0 where unknown.
    uint32_t line;
} MprofSub;

// How the shim describes a scalar.
typedef struct MprofScalar {
    // Its type.
    MprofKind kind;
    // Its reference count.
    uint32_t references;
    // Bytes of head and body.
    uint32_t body_bytes;
    // The package it is blessed into; no text for what is no object.
    struct MprofText blessed_into;
    // Of a sub: all. Of a glob and a package: `package` and `name`.
    struct MprofSub sub;
} MprofScalar;

// Where one interpreter keeps what the recorder reads. All pointers stay valid until `mprof_interp_gone`.
typedef struct PerlLayout {
    // `aTHX`, or any constant where perl is built without threads.
    const void *perl;
    // `&PL_curcop`.
    const void *const *curcop;
    // `&PL_compiling`.
    const void *compiling;
    // `&PL_sv_count`.
    const ptrdiff_t *sv_count;
    // `&PL_sv_root`, or null where scalars' heads are not kept in arenas as the ledger knows them.
    const void *const *sv_root;
    // `&PL_sv_arenaroot`.
    const void *const *sv_arenaroot;
    // `&PL_body_arenas`.
    const void *const *body_arenas;
    // What perl puts before each block that it asks malloc for, in bytes: its pointers point behind it. 0 but for a perl
    // that checks its use of memory.
    size_t block_header_bytes;
    // `&PL_mainstack`: another for each coroutine.
    const void *const *main_stack;
    // `PL_mainstack` of the interpreter's own program, as opposed to its coroutines.
    const void *own_stack;
    // Offset of `cop_line`, in bytes.
    size_t cop_line_offset;
    // `CopFILE`: the file of a COP, or null. Called with a live COP; runs no Perl code and allocates nothing.
    const char *(*cop_file)(const void *cop);
    // Is the COP a statement of compiled code, or where perl's compiler is? Called with a live COP.
    bool (*is_statement)(const void *cop);
    // Tells what the live scalar at `scalar` is, its buffers and its references to what `visit` seeks, by calls of
    // `mprof_heap_…`. Runs no Perl code, allocates and changes nothing.
    void (*describe_scalar)(const void *perl, const void *scalar, struct HeapVisit *visit, struct MprofScalar *told);
    // Tells what the interpreter itself refers to, as root number `index`. Returns the root's name, a constant; no text
    // where there is no root of that number.
    struct MprofText (*heap_root)(const void *perl, uint32_t index, struct HeapVisit *visit);
} PerlLayout;

// An open call.
typedef struct OpenCall {
    // The stack (`PERL_SI`) that it runs on; null below the first call.
    const void *stack;
    // It is over once that stack's context index is below this.
    int32_t context;
    // Its node in the call tree.
    uint32_t node;
    // With `hook=db`: the statement that runs in it, or that called it.
    size_t statement;
} OpenCall;

// The calls.
typedef struct OpenCalls {
    // The innermost; never null.
    struct OpenCall *top;
    // Below the first.
    struct OpenCall *bottom;
    // One behind the last there is room for.
    struct OpenCall *end;
} OpenCalls;

// What the shim may look at without a call: the head of a [`Thread`].
typedef struct ThreadView {
    // The interpreter whose code ran here last; null before any did.
    struct InterpView *interp;
} ThreadView;

// What the shim may look at without a call: the head of an [`Interp`].
typedef struct InterpView {
    // The stack (`PL_mainstack`) of its coroutine that the shim has met here last, which tells interpreters apart as well:
    // of those that are alive no two have one in common. Null where the shim is to look again.
    const void *main_stack;
    // The open calls.
    struct OpenCalls open;
    // With a ledger: the top of perl's free list as of the last boundary.
    const void *free_top;
    // `PL_sv_count` as of the last boundary, where there is no ledger.
    ptrdiff_t scalars;
    // The thread that the shim has met it in last.
    const struct ThreadView *thread;
    // All that perl had freed at the last boundary.
    uint32_t freed_so_far;
    // Is there a ledger of scalars?
    bool has_ledger;
    // perl's own pointer to the interpreter (`aTHX`); null when the interpreter is gone.
    const void *perl;
} InterpView;

// All there are. The shim looks here at every statement.
extern const volatile uint32_t mprof_hurdles;

// Are calls, statements and allocations recorded? What was recorded is followed to its end even when not. The shim
// looks here before it tells anything.
extern const volatile bool mprof_recording;

// Counts all that was freed. The shim looks here.
extern const volatile uint32_t mprof_freed;

// Sets an option. On `false`, `error` says why.
//
// # Safety
// Texts are readable; `error` points to `error_size` writable bytes.
bool mprof_option(struct MprofText key, struct MprofText value, char *error, size_t error_size);

// Settles the options and where the trace will be. `libraries`: where perl's modules are, folders with newlines between.
//
// # Safety
// All three are C strings.
void mprof_plan(const char *perl_version,
                const char *archname,
                bool threaded,
                const char *libraries);

// Was `hook=db` asked for?
bool mprof_wants_db(void);

// Are statements to be told of, or calls alone? Only births of scalars need them.
bool mprof_wants_statements(void);

// When to start: 0 at once, 1 when the program has been compiled, 2 when asked.
uint8_t mprof_start_mode(void);

// Starts recording, or goes on. On `false`, `error` says why there is no trace.
//
// # Safety
// `layout` is valid as its fields say; `error` points to `error_size` writable bytes.
bool mprof_start(const struct PerlLayout *layout, char *error, size_t error_size);

// Stops recording.
void mprof_stop(void);

// Takes a snapshot now, perhaps a full one; returns when it has been written.
void mprof_snapshot(bool full);

// A unit of the program's work is done.
//
// # Safety
// `label` is readable.
void mprof_mark(struct InterpView *view, struct MprofText label);

// Figures of the process as of now, in the order of `MPROF_STATS`.
//
// # Safety
// `values` points to that many writable numbers.
bool mprof_stats(struct InterpView *view, uint64_t *values);

// The scalar of that visit refers to `target`. `index` and `key` as in `format::heap::HeapEdge`.
//
// # Safety
// `visit` is what the core passed to `describe_scalar` or `heap_root`, which has not returned yet; `key` is readable.
void mprof_heap_edge(struct HeapVisit *visit,
                     const void *target,
                     MprofEdge kind,
                     uint32_t index,
                     struct MprofText key);

// The scalar of that visit owns the block at `address`, together with others if there are more `owners` than one. It is
// of `bytes` where the core does not know it.
//
// # Safety
// As for [`mprof_heap_edge`]. Nothing is read at `address`.
void mprof_heap_buffer(struct HeapVisit *visit,
                       const void *address,
                       uint64_t bytes,
                       uint64_t owners);

// The sub of that visit has a variable.
//
// # Safety
// As for [`mprof_heap_edge`].
void mprof_heap_variable(struct HeapVisit *visit, uint32_t index, struct MprofText name);

// The calls open in the whole process are over, and the trace with them.
void mprof_finish(void);

// The interpreter at those addresses, which this thread runs from now on, in the coroutine that its stacks are of; null
// when nothing is recorded.
//
// # Safety
// `layout` is valid as its fields say.
struct InterpView *mprof_interp(const struct PerlLayout *layout);

// perl is about to free that interpreter.
void mprof_interp_gone(const void *perl);

// The short way of an entry: counts a call of the sub with that key (`SubKey`) from the statement `cop`, and tells the node
// that it leads to; the shim opens it. [`MPROF_NO_NODE`]: nothing is counted, and it is to be opened by [`mprof_enter`].
//
// What has happened to scalars until now has been told of the statement, where there is a ledger.
uint32_t mprof_call(struct InterpView *view,
                    const void *cop,
                    const void *code,
                    size_t name);

// A sub is entered. On `false` nothing happened: describe it with [`mprof_enter_described`].
//
// `code` and `name` are its key (`SubKey`); the call is over once context `context` of stack `stack` is.
bool mprof_enter(struct InterpView *view, const void *code, size_t name, const void *stack, int32_t context);

// As [`mprof_enter`], with the description.
//
// # Safety
// `sub` and its texts are readable.
void mprof_enter_described(struct InterpView *view,
                           const void *code,
                           size_t name,
                           const void *stack,
                           int32_t context,
                           const struct MprofSub *sub);

// A file begins to be compiled and run.
//
// # Safety
// `file` is readable.
void mprof_enter_file(struct InterpView *view, struct MprofText file, const void *stack, int32_t context);

// The string eval of number `number` begins to be compiled and run.
void mprof_enter_eval(struct InterpView *view, uint32_t number, const void *stack, int32_t context);

// The innermost call is over. `cop`: the statement that ran in it last. `false`: nothing can be told now; a signal handler
// has interrupted the core.
//
// Three ways, the first for what is simple, so that it needs few registers.
bool mprof_leave(struct InterpView *view,
                 const void *cop);

// All calls above `depth` are over.
void mprof_leave_to(struct InterpView *view, size_t depth, const void *cop);

// A statement is over; `cop` is it. To be called when scalars have come or gone, or something waits. Three ways, as in
// [`mprof_leave`].
void mprof_statement(struct InterpView *view,
                     const void *cop);

// Something waits, in the midst of the statement that runs.
void mprof_attend(struct InterpView *view);

// The statement `cop` begins. With `hook=db` every statement is told, and none when it is over.
void mprof_statement_begins(struct InterpView *view, const void *cop);

// perl frees the statement at that address.
void mprof_statement_freed(const void *cop);

// perl frees the code of a sub.
void mprof_code_freed(const void *code);

#endif  /* MPROF_CORE_H */
