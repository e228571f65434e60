/* When the program ends, and when an interpreter does. */
#include "shim.h"

static const void *main_perl;
static thrhook_proc_t original_end;

/* perl calls PL_threadhook when all END blocks have run and nothing has been taken down yet. What lives now is what the
 * program kept; what global destruction frees is no longer of interest. */
static int program_ends(pTHX) {
    if (SHIM_PERL == main_perl) mprof_finish();
    return original_end(aTHX);
}

/* An END block would do, but running one clears $@, which a DESTROY may look at later. threads.pm puts itself in our
 * place without looking, so this is asked again after each file that has been loaded. */
void shim_watch_end(pTHX) {
    if (PL_threadhook == program_ends) return;
    if (!main_perl) main_perl = SHIM_PERL;
    original_end = PL_threadhook;
    PL_threadhook = program_ends;
}

/* On perl's list of what to call at the end of an interpreter, which a thread's inherits. */
void shim_interp_ends(pTHX_ void *unused) {
    PERL_UNUSED_ARG(unused);
    if (SHIM_PERL == main_perl) mprof_finish();
    else mprof_interp_gone(SHIM_PERL);
}
