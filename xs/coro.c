/* Coro's functions that give way to another coroutine: cede, schedule, join, Coro::Semaphore::down and the like.
 *
 * At its first call such a function puts one of Coro's own into the op that called it, and has perl run the op again by way
 * of an op of Coro's that leads back to it. From then on the op would pass us by; but calls are to be counted, and what has
 * happened is to be booked before another coroutine runs. So the op gets its function back, and Coro's runs from a copy of
 * the op. A coroutine may wait in a copy, which is why none is ever freed: there is one for each op that gave way. */
#include "shim.h"

typedef struct Copy {
    UNOP copy;
    OP *op;
    const CV *callee; /* whom it called last */
    struct Copy *next;
} Copy;

#define BUCKETS 64

static Copy *copies[BUCKETS];
bool shim_coro_seen;

static Copy **bucket(const OP *op) {
    return &copies[PTR2UV(op) / sizeof(UNOP) % BUCKETS];
}

static Copy *copy_of(const OP *op) {
    Copy *copy = *bucket(op);
    while (copy && copy->op != op) copy = copy->next;
    return copy;
}

/* As the op is now: its address may have been another's. */
static OP *refresh(Copy *copy, Perl_ppaddr_t function) {
    copy->copy = *cUNOPx(copy->op);
    copy->copy.op_ppaddr = function;
    return (OP *)&copy->copy;
}

/* What PL_op runs instead of a call of `callee`, if that is known to give way; with the arguments on perl's stack, as they
 * are. NULL: the call is to be made. */
OP *shim_give_way(pTHX_ const CV *callee) {
    Copy *copy = copy_of(PL_op);
    /* Coro's function looks for a glob, too. */
    if (!copy || copy->callee != callee || SvTYPE(*PL_stack_sp) != SVt_PVGV) return NULL;
    return refresh(copy, copy->copy.op_ppaddr);
}

/* PL_op, to which perl goes on after a call of `callee`, leads to itself: if it is Coro's way back to the op that called, it
 * leads to the copy of it from now on. */
void shim_gave_way(pTHX_ const CV *callee) {
    UNOP *back = cUNOPx(PL_op);
    OP *op;
    Copy *copy;
    if (back->op_type != OP_CUSTOM || !(op = back->op_first)) return;
    if (op->op_type != OP_ENTERSUB || op->op_ppaddr == PL_ppaddr[OP_ENTERSUB]) return;
    copy = copy_of(op);
    if (!copy) {
        /* libc's own, which is not recorded here: perl's would count as the program's. */
        copy = calloc(1, sizeof *copy);
        if (!copy) return;
        copy->op = op;
        copy->next = *bucket(op);
        *bucket(op) = copy;
    }
    copy->callee = callee;
    back->op_first = refresh(copy, op->op_ppaddr);
    op->op_ppaddr = PL_ppaddr[OP_ENTERSUB];
    shim_coro_seen = TRUE;
}
