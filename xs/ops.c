/* Wraps perl's ops: each wrapper calls the function that was there, and tells the core what happened. */
#include "shim.h"

static Perl_ppaddr_t original[MAXO];
static Perl_ophook_t original_opfree;
static runops_proc_t original_runops;

#define WAS_CONTEXT_PUSHED(stack, before) (PL_curstackinfo == (stack) && cxstack_ix > (before))

/* The ops that run most have a part for what is recorded and one for what is not; either ends in a jump. */
#define NOINLINE __attribute__((noinline))

/* An entersub that is not a Perl sub's called by an op: what has no context turned out to be no sub, and a callee that
 * cannot be told beforehand (an overloaded &{}, a sub that AUTOLOAD stands in for) is opened late. */
NOINLINE static OP *entersub_seldom(pTHX_ InterpView *me, CV *callee) {
    const PERL_SI *stack = PL_curstackinfo;
    const I32 before = cxstack_ix;
    /* Called by C code (DESTROY, tie, overload, BEGIN, signals), perhaps after an exit or die that unwound all. */
    const bool from_c = !PL_op->op_next;
    size_t depth;
    OP *next;
    if (from_c) shim_close_unwound(aTHX_ me, PL_curcop);
    depth = shim_depth(me);
    if (callee) shim_open(aTHX_ me, callee, before + 1);
    next = original[OP_ENTERSUB](aTHX);
    me = shim_me(aTHX);
    if (!me) return next;
    if (WAS_CONTEXT_PUSHED(stack, before) && CxTYPE(&cxstack[cxstack_ix]) == CXt_SUB) {
        if (shim_depth(me) == depth) shim_open(aTHX_ me, cxstack[cxstack_ix].blk_sub.cv, cxstack_ix);
        /* C code goes on after a die that its G_EVAL caught, with no op of ours in between. */
        if (from_c) shim_close_at_scope_end(aTHX_ depth);
    } else if (shim_depth(me) > depth) {
        mprof_leave_to(me, depth, PL_curcop);
        if (next == PL_op) shim_gave_way(aTHX_ callee);
    }
    return next;
}

/* An XSUB has run to its end afterwards. */
NOINLINE static OP *entersub_xsub(pTHX_ InterpView *me, CV *callee) {
    size_t depth;
    OP *next = NULL;
    if (!PL_op->op_next) shim_close_unwound(aTHX_ me, PL_curcop);
    depth = shim_depth(me);
    shim_open(aTHX_ me, callee, cxstack_ix);
    if (UNLIKELY(shim_coro_seen)) next = shim_give_way(aTHX_ callee);
    if (!next) next = original[OP_ENTERSUB](aTHX);
    me = shim_me(aTHX);
    if (!me) return next;
    if (LIKELY(shim_depth(me) == depth + 1)) shim_leave(aTHX_ me, PL_curcop);
    else if (shim_depth(me) > depth) mprof_leave_to(me, depth, PL_curcop);
    else return next;
    if (UNLIKELY(next == PL_op)) shim_gave_way(aTHX_ callee);
    return next;
}

/* Will perl call DB::sub in place of that sub? */
#define IS_DEBUGGED(callee) ((PL_op->op_private & OPpENTERSUB_DB) && PL_DBsub && GvCV(PL_DBsub) && !CvNODEBUG(callee))

/* What gives way would pass us by later, even if nothing is recorded now. */
NOINLINE static OP *entersub_unrecorded(pTHX) {
    OP *next = original[OP_ENTERSUB](aTHX);
    if (UNLIKELY(next == PL_op)) shim_gave_way(aTHX_ NULL);
    return next;
}

/* A sub whose key takes more than a look. */
NOINLINE static OP *entersub_unsteady(pTHX_ InterpView *me, CV *callee) {
    shim_open(aTHX_ me, callee, cxstack_ix + 1);
    return original[OP_ENTERSUB](aTHX);
}

/* A call that the core does not know. */
NOINLINE static OP *entersub_at_length(pTHX_ InterpView *me) {
    shim_open_at_length(aTHX_ me, shim_callee(aTHX_ *PL_stack_sp), cxstack_ix + 1);
    return original[OP_ENTERSUB](aTHX);
}

/* A sub is opened before perl sets it up, so that its pad and @_ are its own. With a Perl sub that is all: perl pushes its
 * context or dies, and what ends the context closes it. But of a blessed one perl may ask an overloaded &{} first.
 *
 * What is seldom is done by functions of its own, so that little has to be kept on the way through here. */
OP *shim_entersub(pTHX) {
    InterpView *me;
    CV *callee;
    if (UNLIKELY(!mprof_recording || !(me = shim_me(aTHX)))) return entersub_unrecorded(aTHX);
    shim_close_over(aTHX_ me);
    shim_settle(aTHX_ me);
    callee = shim_callee(aTHX_ *PL_stack_sp);
    if (callee && UNLIKELY(IS_DEBUGGED(callee))) callee = NULL;
    if (callee && CvISXSUB(callee)) return entersub_xsub(aTHX_ me, callee);
    if (!callee || SvOBJECT(callee) || !PL_op->op_next) return entersub_seldom(aTHX_ me, callee);
    if (!SHIM_HAS_STEADY_NAME(callee)) return entersub_unsteady(aTHX_ me, callee);
    if (UNLIKELY(!shim_open_shortly(aTHX_ me, CvROOT(callee), shim_steady_name_key(aTHX_ callee), cxstack_ix + 1)))
        return entersub_at_length(aTHX_ me);
    return original[OP_ENTERSUB](aTHX);
}

/* Ops that may leave subs: one, as the leavesubs do, or any number, as a return, last or goto does. */
#define LEAVING(op)                                                                                                   \
    NOINLINE static OP *leaving_recorded_##op(pTHX) {                                                                 \
        const COP *cop = PL_curcop;                                                                                   \
        OP *next = original[op](aTHX);                                                                                \
        InterpView *me = shim_me(aTHX);                                                                               \
        if (LIKELY(me != NULL)) shim_close_left(aTHX_ me, cop);                                                       \
        return next;                                                                                                  \
    }                                                                                                                 \
    static OP *leaving_##op(pTHX) {                                                                                   \
        return LIKELY(mprof_recording) ? leaving_recorded_##op(aTHX) : original[op](aTHX);                            \
    }

LEAVING(OP_LEAVESUB)
LEAVING(OP_LEAVESUBLV)
LEAVING(OP_RETURN)
LEAVING(OP_LEAVETRY)
LEAVING(OP_LEAVEEVAL)

/* Ops that end a block: perl makes the statement around it the current one, so what has happened in the block's last
 * statement is told before. */
static void settle_before(pTHX) {
    InterpView *me = shim_me(aTHX);
    if (me && shim_scalars_moved(aTHX_ me)) {
        shim_close_left(aTHX_ me, PL_curcop);
        mprof_statement(me, PL_curcop);
    }
}

#define LEAVING_BLOCK(op)                                                                                             \
    LEAVING(op)                                                                                                       \
    static OP *leaving_block_##op(pTHX) {                                                                             \
        if (LIKELY(mprof_recording)) settle_before(aTHX);                                                             \
        return leaving_##op(aTHX);                                                                                    \
    }

LEAVING_BLOCK(OP_LEAVE)
LEAVING_BLOCK(OP_LEAVELOOP)
LEAVING_BLOCK(OP_LAST)
LEAVING_BLOCK(OP_NEXT)
LEAVING_BLOCK(OP_REDO)

/* The end of a string eval, or of a file. */
static OP *leaveeval(pTHX) {
    OP *next = leaving_OP_LEAVEEVAL(aTHX);
    if (mprof_recording) shim_watch_end(aTHX);
    return next;
}

/* `goto &sub` puts another sub into the context that runs; an XSUB it runs to its end instead. */
static OP *leaving_by_goto(pTHX) {
    InterpView *me = shim_me(aTHX);
    const COP *cop = PL_curcop;
    CV *target = NULL;
    OP *next;
    if (!me) return original[OP_GOTO](aTHX);
    if ((PL_op->op_flags & OPf_STACKED) && SvROK(*PL_stack_sp)) target = shim_callee(aTHX_ *PL_stack_sp);
    if (target && CvISXSUB(target)) shim_open(aTHX_ me, target, cxstack_ix);
    next = original[OP_GOTO](aTHX);
    me = shim_me(aTHX);
    if (!me) return next;
    shim_close_left(aTHX_ me, cop);
    if (target && !CvISXSUB(target) && cxstack_ix >= 0 && CxTYPE(&cxstack[cxstack_ix]) == CXt_SUB
        && me->open.top->stack == (const void *)PL_curstackinfo && me->open.top->context == cxstack_ix) {
        mprof_leave(me, cop);
        shim_open(aTHX_ me, cxstack[cxstack_ix].blk_sub.cv, cxstack_ix);
    }
    return next;
}

/* A statement is over in which something has happened, or may have. */
NOINLINE static OP *statement_over(pTHX_ const COP *before, OP *next) {
    InterpView *me = shim_me(aTHX);
    if (me) {
        shim_close_left(aTHX_ me, before);
        if (shim_scalars_moved(aTHX_ me) || (mprof_hurdles & MPROF_WAITS)) mprof_statement(me, before);
    }
    return next;
}

/* Mostly nothing has: no scalar has come or gone, for no two interpreters have a free head in common; nothing waits; and no
 * call is over. Coroutines of one interpreter do have them in common: another may run than the one whose calls those are, but
 * as long as there is nothing to tell nobody needs to know. */
#define STATEMENT(name, op)                                                                                           \
    NOINLINE static OP *name##_recorded(pTHX) {                                                                       \
        const COP *before = PL_curcop;                                                                                \
        OP *next = original[op](aTHX);                                                                                \
        const InterpView *me = mprof_running;                                                                         \
        const SV *free_top = PL_sv_root;                                                                              \
        if (LIKELY((const void *)free_top == me->free_top && free_top && SvREFCNT(free_top) == MPROF_STAMP             \
                   && !(mprof_hurdles & MPROF_WAITS) && me->open.top->context <= cxstack_ix))                         \
            return next;                                                                                              \
        return statement_over(aTHX_ before, next);                                                                    \
    }                                                                                                                 \
    static OP *name(pTHX) {                                                                                           \
        return LIKELY(mprof_recording) ? name##_recorded(aTHX) : original[op](aTHX);                                  \
    }

STATEMENT(nextstate, OP_NEXTSTATE)
STATEMENT(dbstate, OP_DBSTATE)

/* Where no statement is told, what waits need not wait for a call: a loop's turn ends, or the process has been forked. */
#define ATTENDING(name, op)                                                                                           \
    static OP *name(pTHX) {                                                                                           \
        OP *next = original[op](aTHX);                                                                                \
        InterpView *me;                                                                                               \
        if (UNLIKELY(mprof_hurdles & MPROF_WAITS) && (me = shim_me(aTHX))) {                                          \
            shim_close_left(aTHX_ me, PL_curcop);                                                                     \
            mprof_attend(me);                                                                                         \
        }                                                                                                             \
        return next;                                                                                                  \
    }

ATTENDING(unstack, OP_UNSTACK)
ATTENDING(forked, OP_FORK)
ATTENDING(opened, OP_OPEN)

/* Whatever was called inside an eval or try block ends with it, at the latest. */
#define CATCHING(name, op)                                                                                            \
    static OP *name(pTHX) {                                                                                           \
        const PERL_SI *stack = PL_curstackinfo;                                                                       \
        const I32 before = cxstack_ix;                                                                                \
        OP *next = original[op](aTHX);                                                                                \
        InterpView *me = shim_me(aTHX);                                                                               \
        if (me && WAS_CONTEXT_PUSHED(stack, before)) shim_close_at_scope_end(aTHX_ shim_depth(me));                   \
        return next;                                                                                                  \
    }

CATCHING(entertry, OP_ENTERTRY)
#if PERL_VERSION_GE(5, 34, 0)
CATCHING(entertrycatch, OP_ENTERTRYCATCH)
#endif

/* Code that is compiled and run here and now: it has a context of its own once it is compiled, if it is. */
static OP *run_code(pTHX_ InterpView *me, int type, size_t depth) {
    const PERL_SI *stack = PL_curstackinfo;
    const I32 before = cxstack_ix;
    OP *next = original[type](aTHX);
    me = shim_me(aTHX);
    if (!me || shim_depth(me) <= depth) return next;
    if (WAS_CONTEXT_PUSHED(stack, before)) shim_close_at_scope_end(aTHX_ depth);
    else mprof_leave_to(me, depth, PL_curcop);
    return next;
}

static OP *entereval(pTHX) {
    InterpView *me = shim_me(aTHX);
    size_t depth;
    if (!me) return original[OP_ENTEREVAL](aTHX);
    shim_close_over(aTHX_ me);
    depth = shim_depth(me);
    mprof_enter_eval(me, PL_evalseq + 1, PL_curstackinfo, cxstack_ix + 1);
    return run_code(aTHX_ me, OP_ENTEREVAL, depth);
}

/* A file that is loaded already, or a version of perl, is not run. */
static OP *require_or_do(pTHX_ int type) {
    InterpView *me = shim_me(aTHX);
    SV *name = *PL_stack_sp;
    MprofText file;
    size_t depth;
    if (!me || !SvPOK(name) || SvGMAGICAL(name) || SvVOK(name)
        || SvRMAGICAL(GvHVn(PL_incgv)) || (type == OP_REQUIRE && hv_exists_ent(GvHVn(PL_incgv), name, 0)))
        return original[type](aTHX);
    shim_close_over(aTHX_ me);
    depth = shim_depth(me);
    file.start = SvPVX_const(name);
    file.length = SvCUR(name);
    mprof_enter_file(me, file, PL_curstackinfo, cxstack_ix + 1);
    return run_code(aTHX_ me, type, depth);
}

static OP *require(pTHX) {
    return require_or_do(aTHX_ OP_REQUIRE);
}

static OP *dofile(pTHX) {
    return require_or_do(aTHX_ OP_DOFILE);
}

/* A sub that C code runs over and over without an entersub: a named sort comparator, a MULTICALL block. */
static int runops(pTHX) {
    InterpView *me = shim_me(aTHX);
    const PERL_CONTEXT *context = cxstack_ix >= 0 ? &cxstack[cxstack_ix] : NULL;
    size_t depth;
    int status;
    if (!me || !context || CxTYPE(context) != CXt_SUB || !CxMULTICALL(context)) return original_runops(aTHX);
    shim_close_unwound(aTHX_ me, PL_curcop);
    depth = shim_depth(me);
    shim_open(aTHX_ me, context->blk_sub.cv, cxstack_ix);
    status = original_runops(aTHX);
    shim_close_to(aTHX_ depth);
    return status;
}

/* What was learnt by the address of an op dies with the op. */
static void opfree(pTHX_ OP *op) {
    switch (op->op_type) {
    case OP_NEXTSTATE:
    case OP_DBSTATE: mprof_statement_freed(op); break;
    case OP_LEAVESUB:
    case OP_LEAVESUBLV: mprof_code_freed(op); break;
    default: break;
    }
    if (original_opfree) original_opfree(aTHX_ op);
}

/* Once for each interpreter; a clone inherits both. */
void shim_hook_interp(pTHX) {
    original_opfree = PL_opfreehook;
    PL_opfreehook = opfree;
    original_runops = PL_runops;
    PL_runops = runops;
}

/* Coro gives each new coroutine perl's own. */
void shim_hook_runops(pTHX) {
    if (PL_runops == original_runops) PL_runops = runops;
}

static void wrap(int type, Perl_ppaddr_t wrapper) {
    original[type] = PL_ppaddr[type];
    PL_ppaddr[type] = wrapper;
}

/* As soon as DB::sub exists perl calls it from code compiled under -d, whatever hooks there will be. */
void shim_boot(pTHX) {
    original[OP_ENTERSUB] = PL_ppaddr[OP_ENTERSUB];
    CvLVALUE_on(get_cv("DB::lsub", 0));
}

/* Once for the process. An op keeps the function it was compiled with: only code compiled from now on is wrapped. */
void shim_hook_ops(pTHX_ ShimHooks hooks) {
    if (hooks != SHIM_HOOKS_ENDS) wrap(OP_ENTERSUB, shim_entersub);
    if (hooks == SHIM_HOOKS_STATEMENTS) {
        wrap(OP_NEXTSTATE, nextstate);
        wrap(OP_DBSTATE, dbstate);
    }
    if (hooks == SHIM_HOOKS_CALLS) {
        wrap(OP_UNSTACK, unstack);
        wrap(OP_FORK, forked);
        wrap(OP_OPEN, opened);
        wrap(OP_LAST, leaving_OP_LAST);
        wrap(OP_NEXT, leaving_OP_NEXT);
        wrap(OP_REDO, leaving_OP_REDO);
    } else {
        wrap(OP_LEAVE, leaving_block_OP_LEAVE);
        wrap(OP_LEAVELOOP, leaving_block_OP_LEAVELOOP);
        wrap(OP_LAST, leaving_block_OP_LAST);
        wrap(OP_NEXT, leaving_block_OP_NEXT);
        wrap(OP_REDO, leaving_block_OP_REDO);
    }
    wrap(OP_LEAVESUB, leaving_OP_LEAVESUB);
    wrap(OP_LEAVESUBLV, leaving_OP_LEAVESUBLV);
    wrap(OP_RETURN, leaving_OP_RETURN);
    wrap(OP_LEAVEEVAL, leaveeval);
    wrap(OP_LEAVETRY, leaving_OP_LEAVETRY);
    wrap(OP_GOTO, leaving_by_goto);
    wrap(OP_ENTERTRY, entertry);
#if PERL_VERSION_GE(5, 34, 0)
    wrap(OP_ENTERTRYCATCH, entertrycatch);
#endif
    wrap(OP_ENTEREVAL, entereval);
    wrap(OP_REQUIRE, require);
    wrap(OP_DOFILE, dofile);
    shim_hook_interp(aTHX);
}
