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

/* perl calls DB::sub instead of the sub, whose CV it leaves in $DB::sub ($^P & 0x40). */
static CV *real_sub(pTHX) {
    SV *sub = GvSV(PL_DBsub);
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
_begin()
  CODE:
#ifdef USE_ITHREADS
    mprof_plan("v" PERL_VERSION_STRING, ARCHNAME, TRUE);
#else
    mprof_plan("v" PERL_VERSION_STRING, ARCHNAME, FALSE);
#endif
    shim_hook_ops(aTHX_ !mprof_wants_db());
    if (mprof_wants_db()) {
        /* Subs (0x01) by address (0x40), and statements (0x02). */
        PL_perldb |= 0x01 | 0x02 | 0x40;
        sv_setiv_mg(PL_DBsingle, 1);
    }
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
  CODE:
    PERL_UNUSED_VAR(items);
    mprof_snapshot();

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
