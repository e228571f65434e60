/* What a sub is called, and how it is recognised. Changes nothing in perl: not even CvGV, which would make a glob of a
 * name. */
#include "shim.h"

static HEK *name_hek(pTHX_ const CV *cv, HV **stash) {
    GV *gv;
#ifdef CvNAMED
    if (CvNAMED(cv)) {
        *stash = CvSTASH(cv);
        return CvNAME_HEK((CV *)cv);
    }
#endif
    gv = CvGV((CV *)cv);
    if (!gv || SvTYPE(gv) != SVt_PVGV || !isGV_with_GP(gv)) {
        *stash = CvSTASH(cv);
        return NULL;
    }
    *stash = GvSTASH(gv);
    return GvNAME_HEK(gv);
}

/* The glob that names a closure or a renamed sub lives no longer than the sub. Its address may be another's next time, and
 * each clone that is renamed has one of its own (Try::Tiny names its blocks anew at each call): only the name counts, by
 * its hash and length. */
size_t shim_unsteady_name_key(pTHX_ const CV *cv) {
    HV *stash;
    HEK *hek = name_hek(aTHX_ cv, &stash);
    return hek ? ((size_t)HEK_HASH(hek) << 32 | HEK_LEN(hek)) ^ PTR2UV(stash) : 1;
}

static MprofText text_of(const char *start) {
    MprofText text;
    text.start = start;
    text.length = start ? strlen(start) : 0;
    return text;
}

void shim_describe(pTHX_ const CV *cv, MprofSub *sub) {
    HV *stash = NULL;
    HEK *hek = name_hek(aTHX_ cv, &stash);
    sub->is_xsub = cBOOL(CvISXSUB(cv));
    sub->name = text_of("__ANON__");
    if (hek) {
        sub->name.start = HEK_KEY(hek);
        sub->name.length = HEK_LEN(hek);
    }
    sub->package = text_of(stash ? "" : "__ANON__");
    if (stash && HvNAME_get(stash)) {
        sub->package.start = HvNAME_get(stash);
        sub->package.length = HvNAMELEN_get(stash);
    }
    sub->file = text_of(CvISXSUB(cv) ? NULL : CvFILE((CV *)cv));
    sub->line = 0;
    if (!CvISXSUB(cv)) {
        const OP *op = CvSTART(cv);
        int steps;
        for (steps = 0; op && steps < 16; steps++, op = op->op_next) {
            if (op->op_type == OP_NEXTSTATE || op->op_type == OP_DBSTATE) {
                sub->line = CopLINE((const COP *)op);
                sub->file = text_of(CopFILE((const COP *)op));
                break;
            }
        }
    }
}
