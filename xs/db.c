/* hook=db: perl calls DB::sub, an XSUB, in place of each sub.
 *
 * A DB::sub that ran the sub itself, by call_sv, would nest perl's run loop in C: recursion would overflow the C stack,
 * and a `last` out of the sub would leave it in the middle. So it only has perl run another op next, which calls the sub
 * as the op that was replaced would have, with its context, its flags and its next op. */
#include "shim.h"

/* What perl takes for the op that called DB::sub: the one that leads to `call`. */
static __thread OP leads_on;
static __thread UNOP call;
/* The sub, and where on perl's stack its arguments begin and how many they are. They stay where they are: between
 * DB::sub's return and the next op perl only restores $DB::sub. */
static __thread CV *called;
static __thread I32 arguments_after;
static __thread I32 arguments;

static OP *call_the_sub(pTHX) {
    dSP;
    SP = PL_stack_base + arguments_after;
    PUSHMARK(SP);
    /* A call like &foo; has no arguments of its own: the sub finds the @_ that is there. */
    if (PL_op->op_flags & OPf_STACKED) SP += arguments;
    XPUSHs((SV *)called);
    PUTBACK;
    return shim_entersub(aTHX);
}

void shim_db_call(pTHX_ CV *cv, I32 after, I32 items) {
    called = cv;
    arguments_after = after;
    arguments = items;
    Zero(&call, 1, UNOP);
    call.op_type = OP_ENTERSUB;
    call.op_ppaddr = call_the_sub;
    call.op_flags = PL_op->op_flags;
    call.op_private = PL_op->op_private & ~OPpENTERSUB_DB;
    call.op_next = PL_op->op_next;
    Zero(&leads_on, 1, OP);
    leads_on.op_type = OP_ENTERSUB;
    leads_on.op_ppaddr = PL_ppaddr[OP_ENTERSUB];
    leads_on.op_flags = PL_op->op_flags;
    leads_on.op_next = (OP *)&call;
    PL_op = &leads_on;
}

void shim_db_run_xsub(pTHX_ CV *cv) {
    InterpView *me = shim_me(aTHX);
    const size_t depth = me ? shim_depth(me) : 0;
    if (me) shim_open(aTHX_ me, cv, cxstack_ix);
    CvXSUB(cv)(aTHX_ cv);
    if (me) shim_close_to(aTHX_ depth);
}
