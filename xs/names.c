/* What a sub is called, and how it is recognised. Changes nothing in perl: not even CvGV, which would make a glob of a
 * name. */
#include "shim.h"

/* The code that all clones of a closure share, or the CV itself where there is none. */
const void *shim_code(const CV *cv) {
    return CvISXSUB(cv) || !CvROOT(cv) ? (const void *)cv : (const void *)CvROOT(cv);
}

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

/* Two subs may share their code and not their name. The glob that names a sub lives as long as the sub where the sub
 * holds it, and then its address can be another's next time: the name itself must be looked at. */
size_t shim_name_key(pTHX_ const CV *cv) {
    size_t key;
#ifdef CvNAMED
    if (CvNAMED(cv)) return PTR2UV(CvNAME_HEK((CV *)cv));
#endif
    key = PTR2UV(CvGV((CV *)cv));
    if (CvCVGV_RC(cv)) {
        HV *stash;
        HEK *hek = name_hek(aTHX_ cv, &stash);
        if (hek) key ^= ((size_t)HEK_HASH(hek) << 17) ^ PTR2UV(stash);
    }
    if (CvISXSUB(cv)) key ^= PTR2UV(CvXSUB(cv)) << 1;
    return key;
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

/* The CV that entersub is about to call, where that can be told without side effects and there is code to call. */
CV *shim_callee(pTHX_ SV *sv) {
    CV *cv = NULL;
    if (!sv) return NULL;
    if (SvTYPE(sv) == SVt_PVCV) cv = (CV *)sv;
    else if (SvTYPE(sv) == SVt_PVGV && isGV_with_GP(sv)) cv = GvCVu((GV *)sv);
    else if (SvGMAGICAL(sv)) return NULL;
    else if (SvROK(sv)) cv = SvTYPE(SvRV(sv)) == SVt_PVCV ? (CV *)SvRV(sv) : NULL;
    else if (SvPOK(sv)) cv = get_cvn_flags(SvPVX_const(sv), SvCUR(sv), SvUTF8(sv));
    return cv && (CvISXSUB(cv) || CvROOT(cv)) ? cv : NULL;
}
