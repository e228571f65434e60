/* The shim between perl and the Rust core. Everything here is one call into it, and what needs perl's headers. */
#include "shim.h"

#define ERROR_BYTES 1024

static MprofText text_of_sv(pTHX_ SV *sv) {
    MprofText text;
    STRLEN length;
    text.start = SvPV_const(sv, length);
    text.length = length;
    return text;
}

static void start(pTHX) {
    char error[ERROR_BYTES];
    PerlLayout layout = shim_layout(aTHX);
    if (!mprof_start(&layout, error, sizeof error))
        PerlIO_printf(PerlIO_stderr(), "Devel::MProf: %s; the program runs unprofiled\n", error);
}

/* Functions may be called as class methods too. */
static I32 after_class(pTHX_ I32 ax, I32 items) {
    return items && SvPOK(ST(0)) && strEQ(SvPVX(ST(0)), "Devel::MProf") ? 1 : 0;
}

/* Where perl's modules are, its own and those installed. */
#define LIBRARIES                                                                                                     \
    PRIVLIB_EXP "\n" ARCHLIB_EXP "\n" SITELIB_FOLDERS VENDORLIB_FOLDERS
#ifdef SITELIB_EXP
#  define SITELIB_FOLDERS SITELIB_EXP "\n" SITEARCH_EXP "\n"
#else
#  define SITELIB_FOLDERS ""
#endif
#ifdef PERL_VENDORLIB_EXP
#  define VENDORLIB_FOLDERS PERL_VENDORLIB_EXP "\n" PERL_VENDORARCH_EXP "\n"
#else
#  define VENDORLIB_FOLDERS ""
#endif

/* The program may have a sub of that name itself (DB.pm), or call methods of package DB within it. */
static void remove_sub(pTHX_ const char *name) {
    GV *gv = gv_fetchpv(name, 0, SVt_PVCV);
    CV *cv = gv && isGV_with_GP(gv) ? GvCV(gv) : NULL;
    if (!cv) return;
    GvCV_set(gv, NULL);
    SvREFCNT_dec((SV *)cv);
    mro_method_changed_in(GvSTASH(gv));
}

/* perl took itself for one with a debugger, and what asks whether there is one (Sub::Util, which notes in %DB::sub what it
 * renames) should not find it. Code that was compiled before us may call DB::sub: then all stays as it is. */
static void forget_debugger(pTHX) {
    if (PL_DBsub && GvHV(PL_DBsub)) hv_clear(GvHV(PL_DBsub));
    PL_DBgv = PL_DBline = PL_DBsub = NULL;
    PL_DBsingle = PL_DBtrace = PL_DBsignal = NULL;
    remove_sub(aTHX_ "DB::sub");
    remove_sub(aTHX_ "DB::lsub");
    remove_sub(aTHX_ "DB::DB");
}

/* perl calls DB::sub instead of the sub, whose CV it leaves in $DB::sub ($^P & 0x40). */
static CV *real_sub(pTHX) {
    SV *sub = PL_DBsub ? GvSV(PL_DBsub) : NULL;
    if (!sub) return NULL;
    if (SvROK(sub)) return (CV *)SvRV(sub);
    return SvIOK(sub) ? INT2PTR(CV *, SvIVX(sub)) : get_cv(SvPV_nolen(sub), 0);
}

MODULE = Devel::MProf    PACKAGE = Devel::MProf

PROTOTYPES: DISABLE

BOOT:
    shim_boot(aTHX);

void
_option(key, value)
    SV *key
    SV *value
  CODE:
    {
        char error[ERROR_BYTES];
        if (!mprof_option(text_of_sv(aTHX_ key), text_of_sv(aTHX_ value), error, sizeof error))
            croak("Devel::MProf: %s\n", error);
    }

void
_begin(is_first)
    bool is_first
  CODE:
#ifdef USE_ITHREADS
    mprof_plan("v" PERL_VERSION_STRING, ARCHNAME, TRUE, LIBRARIES);
#else
    mprof_plan("v" PERL_VERSION_STRING, ARCHNAME, FALSE, LIBRARIES);
#endif
    shim_hook_ops(aTHX_ mprof_wants_db() ? SHIM_HOOKS_ENDS : mprof_wants_statements() ? SHIM_HOOKS_STATEMENTS : SHIM_HOOKS_CALLS);
    if (mprof_wants_db()) {
        /* Subs (0x01) by address (0x40), and statements (0x02). */
        PL_perldb |= 0x01 | 0x02 | 0x40;
        sv_setiv_mg(PL_DBsingle, 1);
    } else if (is_first) {
        forget_debugger(aTHX);
    }
    shim_note_program(aTHX);
    shim_watch_end(aTHX);
    call_atexit(shim_interp_ends, NULL);
    switch (mprof_start_mode()) {
    case 0:
        start(aTHX);
        break;
    case 1:
        if (!PL_initav) PL_initav = newAV();
        av_push(PL_initav, SvREFCNT_inc((SV *)get_cv("Devel::MProf::start", 0)));
        break;
    default:
        break;
    }
    /* As perl leaves it for the program. */
    SETERRNO(0, SS_NORMAL);

void
start(...)
  CODE:
    PERL_UNUSED_VAR(items);
    start(aTHX);

void
stop(...)
  CODE:
    PERL_UNUSED_VAR(items);
    mprof_stop();

void
snapshot(...)
  PPCODE:
    {
        const I32 first = after_class(aTHX_ ax, items);
        const bool full = items > first && strEQ(SvPV_nolen(ST(first)), "full");
        if (items > first + (full ? 1 : 0)) croak("Usage: Devel::MProf::snapshot() or Devel::MProf::snapshot('full')");
        mprof_snapshot(full);
        XSRETURN_EMPTY;
    }

void
mark(...)
  PPCODE:
    {
        const I32 first = after_class(aTHX_ ax, items);
        InterpView *me;
        MprofText label = {NULL, 0};
        if (items > first + 1) croak("Usage: Devel::MProf::mark(LABEL)");
        if (items > first && SvOK(ST(first))) label = text_of_sv(aTHX_ ST(first));
        me = shim_me(aTHX);
        if (me) mprof_mark(me, label);
        XSRETURN_EMPTY;
    }

void
stats(...)
  PPCODE:
    {
        static const char *const names[MPROF_STATS] = {
            "allocated_bytes", "allocated_blocks", "freed_bytes", "freed_blocks", "live_bytes", "live_blocks",
            "peak_bytes", "scalars", "resident_bytes", "marks", "snapshots", "profiler_bytes"};
        UV values[MPROF_STATS];
        InterpView *me = shim_me(aTHX);
        HV *stats;
        int i;
        PERL_UNUSED_VAR(items);
        if (!me || !mprof_stats(me, values)) XSRETURN_EMPTY;
        stats = newHV();
        for (i = 0; i < MPROF_STATS; i++) (void)hv_store(stats, names[i], strlen(names[i]), newSVuv(values[i]), 0);
        mXPUSHs(newRV_noinc((SV *)stats));
    }

MODULE = Devel::MProf    PACKAGE = DB

# lsub is what perl calls for lvalue subs.
void
sub(...)
  ALIAS:
    lsub = 1
  PPCODE:
    {
        CV *cv = real_sub(aTHX);
        PERL_UNUSED_VAR(ix);
        if (!cv) croak("DB::sub called for no sub");
        if (CvISXSUB(cv)) {
            /* It runs to its end in C anyway, and may call back before it does. */
            PUSHMARK(MARK);
            shim_db_run_xsub(aTHX_ cv);
            return;
        }
        shim_db_call(aTHX_ cv, ax - 1, items);
        /* One value at most, so that perl has nothing to put right in scalar context: the first argument, as it stands. */
        XSRETURN(items ? 1 : 0);
    }

void
DB(...)
  CODE:
    {
        InterpView *me = shim_me(aTHX);
        PERL_UNUSED_VAR(items);
        if (!me) return;
        shim_close_left(aTHX_ me, PL_curcop);
        mprof_statement_begins(me, PL_curcop);
    }
