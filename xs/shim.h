/* What the files of the shim share. perl's headers come first, always. */
#ifndef MPROF_SHIM_H
#define MPROF_SHIM_H

#define PERL_NO_GET_CONTEXT
#include "EXTERN.h"
#include "perl.h"
#include "XSUB.h"
#include "mprof_core.h"

#ifndef PERL_VERSION_GE
#  define PERL_VERSION_GE(r, v, s) (PERL_REVISION > (r) || (PERL_REVISION == (r) && (PERL_VERSION > (v) || (PERL_VERSION == (v) && PERL_SUBVERSION >= (s)))))
#endif

/* This thread's word; src/runtime/thread.rs defines it. */
extern __thread ThreadView *mprof_thread __attribute__((tls_model("initial-exec"), visibility("hidden")));

/* What tells interpreters apart. */
#ifdef MULTIPLICITY
#  define SHIM_PERL ((const void *)aTHX)
#else
#  define SHIM_PERL ((const void *)&PL_curcop)
#endif

/* layout.c */
PerlLayout shim_layout(pTHX);
InterpView *shim_find(pTHX);

/* names.c */
const void *shim_code(const CV *cv);
size_t shim_name_key(pTHX_ const CV *cv);
void shim_describe(pTHX_ const CV *cv, MprofSub *sub);
CV *shim_callee(pTHX_ SV *sv);

/* frames.c */
void shim_open(pTHX_ InterpView *me, CV *cv, I32 context);
void shim_close_unwound(pTHX_ InterpView *me, const COP *cop);
void shim_close_at_scope_end(pTHX_ size_t depth);

/* ops.c */
void shim_boot(pTHX);
OP *shim_entersub(pTHX);
void shim_hook_ops(pTHX_ bool calls_and_statements);
void shim_hook_interp(pTHX);

/* db.c */
void shim_db_run_xsub(pTHX_ CV *cv);
void shim_db_call(pTHX_ CV *cv, I32 after, I32 items);

/* The interpreter to tell of, or NULL while nothing is recorded. */
PERL_STATIC_INLINE InterpView *shim_me(pTHX) {
    ThreadView *thread;
    if (!mprof_recording) return NULL;
    thread = mprof_thread;
    if (thread && thread->interp && thread->interp->perl == SHIM_PERL) return thread->interp;
    return shim_find(aTHX);
}

/* Is the innermost open call over? */
PERL_STATIC_INLINE bool shim_top_is_over(pTHX_ const InterpView *me) {
    return me->top_stack == (const void *)PL_curstackinfo && me->top_context > cxstack_ix;
}

#endif
