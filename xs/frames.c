/* Opens and closes calls as perl's context stack and savestack do. */
#include "shim.h"

/* Opens a call of that sub, which is over once context `context` of this stack is. */
void shim_open(pTHX_ InterpView *me, const CV *cv, I32 context) {
    shim_settle(aTHX_ me);
    if (!shim_open_shortly(aTHX_ me, shim_code(cv), shim_name_key(aTHX_ cv), context))
        shim_open_at_length(aTHX_ me, cv, context);
}

/* As shim_open, whatever there is to think of. */
void shim_open_at_length(pTHX_ InterpView *me, const CV *cv, I32 context) {
    const size_t name = shim_name_key(aTHX_ cv);
    MprofSub sub;
    if (mprof_enter(me, shim_code(cv), name, PL_curstackinfo, context)) return;
    shim_describe(aTHX_ cv, &sub);
    mprof_enter_described(me, shim_code(cv), name, PL_curstackinfo, context, &sub);
}

/* Closes the calls whose contexts are gone, on this stack or with the stack they were on. */
void shim_close_unwound(pTHX_ InterpView *me, const COP *cop) {
    while (shim_depth(me)) {
        const OpenCall *top = me->open.top;
        const PERL_SI *stack = PL_curstackinfo;
        while (stack && (const void *)stack != top->stack) stack = stack->si_prev;
        if (stack && top->context <= stack->si_cxix) break;
        if (!mprof_leave(me, cop)) break;
    }
}

/* Closes the calls above `depth`, if the recording goes on. */
void shim_close_to(pTHX_ size_t depth) {
    InterpView *me = shim_me(aTHX);
    if (me && shim_depth(me) > depth) mprof_leave_to(me, depth, PL_curcop);
}

static void close_at_scope_end(pTHX_ void *depth) {
    shim_close_to(aTHX_ PTR2UV(depth));
}

/* However the scope that is open now ends, calls above `depth` end with it. A call is found again by its number, never
 * by a pointer. */
void shim_close_at_scope_end(pTHX_ size_t depth) {
    SAVEDESTRUCTOR_X(close_at_scope_end, INT2PTR(void *, depth));
}
