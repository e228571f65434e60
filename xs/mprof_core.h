/* What the Rust core offers to the shim. */

#ifndef MPROF_CORE_H
#define MPROF_CORE_H

/* Generated from src/ffi.rs: change that, then run .ci/header-update. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// The count that a free scalar's head carries once the ledger has seen it.
#define MPROF_STAMP 1833988710

// A piece of text that need not end with a zero.
typedef struct MprofText {
    // First byte; may be null when `length` is 0.
    const char *start;
    // Length, in bytes.
    size_t length;
} MprofText;

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
    // Offset of `cop_line`, in bytes.
    size_t cop_line_offset;
    // `CopFILE`: the file of a COP, or null. Called with a live COP; runs no Perl code and allocates nothing.
    const char *(*cop_file)(const void *cop);
} PerlLayout;

// What the shim may look at without a call: the head of an [`Interp`].
typedef struct InterpView {
    // perl's own pointer to the interpreter (`aTHX`); null when the interpreter is gone.
    const void *perl;
    // Open calls.
    size_t depth;
    // Stack (`PERL_SI`) that the innermost open call was seen on.
    const void *top_stack;
    // The innermost open call is over once that stack's context index is below this.
    int32_t top_context;
    // `PL_sv_count` as of the last boundary, where there is no ledger.
    ptrdiff_t scalars;
    // Is there a ledger of scalars?
    bool has_ledger;
    // With a ledger: the top of perl's free list as of the last boundary.
    const void *free_top;
} InterpView;

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

// What the shim may look at without a call: the head of a [`Thread`].
typedef struct ThreadView {
    // The interpreter whose code ran here last; null before any did.
    struct InterpView *interp;
    // Inside the profiler: whatever the allocator is asked for now is not the program's.
    bool busy;
} ThreadView;

// Are calls, statements and allocations recorded? What was recorded is followed to its end even when not. The shim
// looks here before it tells anything.
extern const volatile bool mprof_recording;

// Something waits for the next boundary: a tick, a snapshot that is due, a pool that may have grown, a fork. The shim
// looks here at every statement.
extern const volatile uint32_t mprof_attention;

// Sets an option. On `false`, `error` says why.
//
// # Safety
// Texts are readable; `error` points to `error_size` writable bytes.
bool mprof_option(struct MprofText key, struct MprofText value, char *error, size_t error_size);

// Settles the options and where the trace will be.
//
// # Safety
// Both strings are C strings.
void mprof_plan(const char *perl_version, const char *archname, bool threaded);

// Was `hook=db` asked for?
bool mprof_wants_db(void);

// When to start: 0 at once, 1 when the program has been compiled, 2 when asked.
uint8_t mprof_start_mode(void);

// Starts recording, or goes on. On `false`, `error` says why there is no trace.
//
// # Safety
// `layout` is valid as its fields say; `error` points to `error_size` writable bytes.
bool mprof_start(const struct PerlLayout *layout, char *error, size_t error_size);

// Stops recording.
void mprof_stop(void);

// Takes a snapshot now; returns when it has been written.
void mprof_snapshot(void);

// The calls open in the whole process are over, and the trace with them.
void mprof_finish(void);

// The interpreter at those addresses, which this thread runs from now on; null when nothing is recorded.
//
// # Safety
// `layout` is valid as its fields say.
struct InterpView *mprof_interp(const struct PerlLayout *layout);

// perl is about to free that interpreter.
void mprof_interp_gone(const void *perl);

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

// The innermost call is over. `cop`: the statement that ran in it last.
void mprof_leave(struct InterpView *view, const void *cop);

// All calls above `depth` are over.
void mprof_leave_to(struct InterpView *view, size_t depth, const void *cop);

// A statement is over; `cop` is it. To be called when scalars have come or gone, or something waits.
void mprof_statement(struct InterpView *view, const void *cop);

// The statement `cop` begins. With `hook=db` every statement is told, and none when it is over.
void mprof_statement_begins(struct InterpView *view, const void *cop);

// perl frees the statement at that address.
void mprof_statement_freed(const void *cop);

// perl frees the code of a sub.
void mprof_code_freed(struct InterpView *view, const void *code);

#endif  /* MPROF_CORE_H */
