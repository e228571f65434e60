/* Where this perl keeps what the core reads. */
#include "shim.h"

static const char *cop_file(const void *cop) {
    return CopFILE((const COP *)cop);
}

/* While perl folds constants the current statement is a copy of PL_compiling on the C stack. */
static bool is_statement(const void *cop) {
    const OPCODE type = ((const COP *)cop)->op_type;
    return type == OP_NEXTSTATE || type == OP_DBSTATE;
}

/* The interpreter that loaded us, and its main stack: no coroutine's, for it was compiling. */
static const void *program;
static const void *program_stack;

void shim_note_program(pTHX) {
    program = SHIM_PERL;
    program_stack = (const void *)PL_mainstack;
}

PerlLayout shim_layout(pTHX) {
    PerlLayout layout;
    layout.perl = SHIM_PERL;
    layout.curcop = (const void *const *)&PL_curcop;
    layout.compiling = &PL_compiling;
    layout.sv_count = (const ptrdiff_t *)&PL_sv_count;
    /* The ledger knows heads as src/runtime/scalar_ledger.rs declares them, and the list of the free ones to be linked
     * through SvANY: PERL_POISON has it elsewhere. */
#if defined(PURIFY) || defined(PERL_POISON)
    layout.sv_root = NULL;
#else
    layout.sv_root = sizeof(SV) == 24 && STRUCT_OFFSET(SV, sv_refcnt) == 8 && STRUCT_OFFSET(SV, sv_flags) == 12
                         ? (const void *const *)&PL_sv_root
                         : NULL;
#endif
    layout.sv_arenaroot = (const void *const *)&PL_sv_arenaroot;
    layout.body_arenas = (const void *const *)&PL_body_arenas;
    layout.block_header_bytes = PERL_MEMORY_DEBUG_HEADER_SIZE;
    layout.main_stack = (const void *const *)&PL_mainstack;
    layout.own_stack = SHIM_PERL == program ? program_stack : (const void *)PL_mainstack;
    layout.cop_line_offset = STRUCT_OFFSET(COP, cop_line);
    layout.cop_file = cop_file;
    layout.is_statement = is_statement;
    layout.describe_scalar = shim_describe_scalar;
    layout.heap_root = shim_heap_root;
    return layout;
}

/* An interpreter, or one of its coroutines, that runs here for the first time, or again after another. */
static InterpView *find(pTHX) {
    PerlLayout layout;
    /* A thread's interpreter that has been given up is not to be met anew while it is taken down. */
    if (PL_phase == PERL_PHASE_DESTRUCT) return NULL;
    shim_hook_runops(aTHX);
    layout = shim_layout(aTHX);
    return mprof_interp(&layout);
}

/* The interpreter to tell of where the one word does not lead to it. */
InterpView *shim_look(pTHX) {
    const ThreadView *thread = mprof_thread;
    /* Another thread may have run it since. */
    if (thread && thread->interp && thread->interp->thread == thread
        && thread->interp->main_stack == (const void *)PL_mainstack)
        return thread->interp;
    return find(aTHX);
}
