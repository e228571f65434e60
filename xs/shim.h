/* What the files of the shim share. perl's headers come first, always. */
#ifndef MPROF_SHIM_H
#define MPROF_SHIM_H

#define PERL_NO_GET_CONTEXT
#include "EXTERN.h"
#include "perl.h"
#include "XSUB.h"
/* The core is in this very object: its words and functions are reached directly, not through tables. */
#pragma GCC visibility push(hidden)
#include "mprof_core.h"
#pragma GCC visibility pop

#ifndef PERL_VERSION_GE
#  define PERL_VERSION_GE(r, v, s) (PERL_REVISION > (r) || (PERL_REVISION == (r) && (PERL_VERSION > (v) || (PERL_VERSION == (v) && PERL_SUBVERSION >= (s)))))
#endif

/* Bytes that perl puts before each block it hands out: a perl that checks its use of memory does (-DDEBUGGING). */
#ifndef PERL_MEMORY_DEBUG_HEADER_SIZE
#  define PERL_MEMORY_DEBUG_HEADER_SIZE 0
#endif

/* This thread's word; src/runtime/thread.rs defines it. */
extern __thread ThreadView *mprof_thread __attribute__((tls_model("initial-exec"), visibility("hidden")));
/* src/runtime/running.rs: the interpreter that the only thread runs, or nobody's. */
extern InterpView *volatile mprof_running __attribute__((visibility("hidden")));
/* src/runtime/recorder/boundaries.rs: the heap's end as it was seen last. libc's own is beside it. */
extern void *volatile mprof_seen_break __attribute__((visibility("hidden")));
extern void *__curbrk;

/* What tells interpreters apart. */
#ifdef MULTIPLICITY
#  define SHIM_PERL ((const void *)aTHX)
#else
#  define SHIM_PERL ((const void *)&PL_curcop)
#endif

/* layout.c */
void shim_note_program(pTHX);
PerlLayout shim_layout(pTHX);
InterpView *shim_look(pTHX);

/* names.c */
size_t shim_unsteady_name_key(pTHX_ const CV *cv);
void shim_describe(pTHX_ const CV *cv, MprofSub *sub);

/* frames.c */
void shim_open(pTHX_ InterpView *me, const CV *cv, I32 context);
void shim_open_at_length(pTHX_ InterpView *me, const CV *cv, I32 context);
void shim_close_unwound(pTHX_ InterpView *me, const COP *cop);
void shim_close_to(pTHX_ size_t depth);
void shim_close_at_scope_end(pTHX_ size_t depth);

/* ops.c */
typedef enum {
    SHIM_HOOKS_ENDS,      /* how calls end: perl itself tells of calls and statements, by DB::sub and DB::DB */
    SHIM_HOOKS_CALLS,     /* and calls */
    SHIM_HOOKS_STATEMENTS /* and statements */
} ShimHooks;
void shim_boot(pTHX);
OP *shim_entersub(pTHX);
void shim_hook_ops(pTHX_ ShimHooks hooks);
void shim_hook_interp(pTHX);
void shim_hook_runops(pTHX);

/* coro.c */
extern bool shim_coro_seen __attribute__((visibility("hidden")));
OP *shim_give_way(pTHX_ const CV *callee);
void shim_gave_way(pTHX_ const CV *callee);

/* ends.c */
void shim_watch_end(pTHX);
void shim_interp_ends(pTHX_ void *unused);

/* heap.c */
void shim_describe_scalar(const void *perl, const void *scalar, HeapVisit *visit, MprofScalar *told);
MprofText shim_heap_root(const void *perl, uint32_t index, HeapVisit *visit);

/* db.c */
void shim_db_run_xsub(pTHX_ CV *cv);
void shim_db_call(pTHX_ CV *cv, I32 after, I32 items);

/* How many calls are open. */
PERL_STATIC_INLINE size_t shim_depth(const InterpView *me) {
    return me->open.top - me->open.bottom;
}

/* Is a call that is open on this stack over? */
PERL_STATIC_INLINE bool shim_top_is_over(pTHX_ const InterpView *me) {
    const OpenCall *top = me->open.top;
    return top->stack == (const void *)PL_curstackinfo && top->context > cxstack_ix;
}

/* The interpreter to tell of, or NULL while nothing is recorded. */
PERL_STATIC_INLINE InterpView *shim_me(pTHX) {
    InterpView *me = mprof_running;
    if (LIKELY(me->main_stack == (const void *)PL_mainstack)) return me;
    return mprof_recording ? shim_look(aTHX) : NULL;
}

/* Have scalars come or gone since the last boundary? A free head that the ledger has seen carries its stamp. */
PERL_STATIC_INLINE bool shim_scalars_moved(pTHX_ const InterpView *me) {
    if (UNLIKELY(!me->has_ledger)) return PL_sv_count != me->scalars;
    return (const void *)PL_sv_root != me->free_top || (LIKELY(PL_sv_root != NULL) && SvREFCNT(PL_sv_root) != MPROF_STAMP);
}

/* The innermost call, on this stack, is over; `cop` was its last statement. FALSE: nothing can be told now. Mostly there is
 * nothing to tell. */
PERL_STATIC_INLINE bool shim_leave(pTHX_ InterpView *me, const COP *cop) {
    if (UNLIKELY(mprof_hurdles || __curbrk != mprof_seen_break || shim_scalars_moved(aTHX_ me))) return mprof_leave(me, cop);
    me->freed_so_far = mprof_freed;
    me->open.top--;
    return TRUE;
}

/* Closes the calls that are over on this stack: their contexts are gone. */
PERL_STATIC_INLINE void shim_close_left(pTHX_ InterpView *me, const COP *cop) {
    while (shim_top_is_over(aTHX_ me) && shim_leave(aTHX_ me, cop)) {}
}

/* Closes the calls that are over before another is opened. Their stack may be gone as well: that of a DESTROY whose XSUB
 * has died. */
PERL_STATIC_INLINE void shim_close_over(pTHX_ InterpView *me) {
    const OpenCall *top = me->open.top;
    if (UNLIKELY(top->context > cxstack_ix || (top->stack != (const void *)PL_curstackinfo && top != me->open.bottom)))
        shim_close_unwound(aTHX_ me, PL_curcop);
}

/* Before a call: what has happened to scalars until now is the running statement's. Without a ledger mprof_call sees to it. */
PERL_STATIC_INLINE void shim_settle(pTHX_ InterpView *me) {
    if (me->has_ledger && shim_scalars_moved(aTHX_ me)) {
        /* Whatever perl has freed since the last boundary, it is not the statement that runs. */
        me->freed_so_far = mprof_freed;
        mprof_statement(me, PL_curcop);
    }
}

/* The code that all clones of a closure share, or the CV itself where there is none. */
PERL_STATIC_INLINE const void *shim_code(const CV *cv) {
    return CvISXSUB(cv) || !CvROOT(cv) ? (const void *)cv : (const void *)CvROOT(cv);
}

#ifdef CvNAMED
#  define SHIM_IS_NAMED(cv) CvNAMED(cv)
#else
#  define SHIM_IS_NAMED(cv) 0
#endif
/* Whoever renames an anonymous sub makes it one that is not (Sub::Util, Sub::Name). */
#define SHIM_IS_NAMELESS(cv) (CvANON(cv) && !CvISXSUB(cv))
#define SHIM_HAS_STEADY_NAME(cv) (SHIM_IS_NAMED(cv) || SHIM_IS_NAMELESS(cv) || !CvCVGV_RC(cv))

/* Where perl keeps the name of a sub that has it from a glob, or of its own. An anonymous one is told by its code alone, so
 * that nothing has to be looked at that is not in cache. */
PERL_STATIC_INLINE size_t shim_steady_name_key(pTHX_ const CV *cv) {
    if (SHIM_IS_NAMELESS(cv)) return 0;
#ifdef CvNAMED
    if (CvNAMED(cv)) return PTR2UV(CvNAME_HEK((CV *)cv));
#endif
    return PTR2UV(CvGV((CV *)cv));
}

/* What tells two subs apart that share their code: where the name is kept. */
PERL_STATIC_INLINE size_t shim_name_key(pTHX_ const CV *cv) {
    const size_t key = SHIM_HAS_STEADY_NAME(cv) ? shim_steady_name_key(aTHX_ cv) : shim_unsteady_name_key(aTHX_ cv);
    return CvISXSUB(cv) ? key ^ (PTR2UV(CvXSUB(cv)) << 1) : key;
}

/* Opens a call of the sub with that key, if there is no more to it. What has happened to scalars until now is settled. */
PERL_STATIC_INLINE bool shim_open_shortly(pTHX_ InterpView *me, const void *code, size_t name, I32 context) {
    OpenCall *next;
    uint32_t node;
    if (UNLIKELY(me->open.top + 1 == me->open.end)) return FALSE;
    node = mprof_call(me, PL_curcop, code, name);
    if (UNLIKELY(node == MPROF_NO_NODE)) return FALSE;
    /* A signal handler that runs Perl code at once may open calls here, and close them; or have them moved elsewhere, where
     * there is room as well. */
    do {
        next = me->open.top + 1;
        next->stack = PL_curstackinfo;
        next->context = context;
        next->node = node;
        next->statement = PTR2UV(PL_curcop);
        __atomic_signal_fence(__ATOMIC_SEQ_CST);
    } while (UNLIKELY(me->open.top + 1 != next || next->node != node || next->context != context));
    me->open.top = next;
    me->freed_so_far = mprof_freed;
    return TRUE;
}

/* The CV that entersub is about to call, where that can be told without side effects and there is code to call. */
PERL_STATIC_INLINE CV *shim_callee(pTHX_ SV *sv) {
    CV *cv = NULL;
    if (!sv) return NULL;
    if (SvTYPE(sv) == SVt_PVCV) cv = (CV *)sv;
    else if (SvTYPE(sv) == SVt_PVGV && isGV_with_GP(sv)) cv = GvCVu((GV *)sv);
    else if (SvGMAGICAL(sv)) return NULL;
    else if (SvROK(sv)) cv = SvTYPE(SvRV(sv)) == SVt_PVCV ? (CV *)SvRV(sv) : NULL;
    else if (SvPOK(sv)) cv = get_cvn_flags(SvPVX_const(sv), SvCUR(sv), SvUTF8(sv));
    return cv && (CvISXSUB(cv) || CvROOT(cv)) ? cv : NULL;
}

#endif
