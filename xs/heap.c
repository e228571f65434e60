/* What a scalar is, what it owns and what it refers to, told to the core piece by piece. Reads perl's structures and
 * changes nothing: no magic is run, nothing is made, no method cache filled.
 *
 * An edge is told only where it is known to count in the target's reference count. One that is not told makes the core
 * think that somebody unknown holds the target; one told wrongly would make it call something unreachable that is not. */
#include "shim.h"

#define KEYS_TOLD_BY_NAME 64 /* a hash with more is taken for a collection, whose keys are data */
#define KEY_BYTES 64         /* what a key takes, about: an entry from perl's pools, and a shared copy of its text */

static MprofText text_of(const char *start, STRLEN length) {
    MprofText text;
    text.start = start;
    text.length = start ? length : 0;
    return text;
}

static const MprofText nothing = {NULL, 0};

#define CONSTANT(text) text_of("" text "", sizeof(text) - 1)

/* Most targets are not sought: a bit of the core's filter says so. The hash is that of `Visit::bit`. Without a filter nothing
 * is sought at all, and what a scalar refers to need not be looked at. */
PERL_STATIC_INLINE bool is_sought(const HeapVisit *visit, const void *target) {
    const uint64_t bit = (PTR2UV(target) * UINT64_C(0x9e3779b97f4a7c15)) >> visit->shift;
    return target && visit->filter && (visit->filter[bit >> 6] >> (bit & 63) & 1);
}

PERL_STATIC_INLINE void edge(HeapVisit *visit, const void *target, MprofEdge kind, size_t index, MprofText key) {
    if (is_sought(visit, target)) mprof_heap_edge(visit, target, kind, (uint32_t)index, key);
}

/* A buffer: of a scalar that is only counted, what was asked for is enough. */
PERL_STATIC_INLINE void buffer(HeapVisit *visit, const void *start, size_t bytes, size_t owners) {
    /* perl's malloc may have kept the start of the block for itself. */
    if (start) start = (const char *)start - PERL_MEMORY_DEBUG_HEADER_SIZE;
    if (visit->detailed) mprof_heap_buffer(visit, start, bytes, owners);
    else visit->asked_bytes += bytes / owners;
}

#define INTERNAL(target, name) edge(visit, target, MPROF_EDGE_INTERNAL, 0, CONSTANT(name))

static void text_buffer(pTHX_ SV *sv, HeapVisit *visit) {
    char *start = SvPVX(sv);
    STRLEN offset = 0;
    UV owners = 1;
    if (!start || !SvLEN(sv)) return; /* none, or a text that is shared or foreign */
    if (SvOOK(sv)) SvOOK_offset(sv, offset);
#if defined(CowREFCNT)
    if (SvIsCOW(sv)) owners = (UV)CowREFCNT(sv) + 1;
#endif
    buffer(visit, start - offset, SvLEN(sv) + offset, owners);
}

static void array(pTHX_ AV *av, HeapVisit *visit) {
    SV **elements = AvARRAY(av);
    SSize_t i;
    if (AvALLOC(av)) buffer(visit, AvALLOC(av), (AvMAX(av) + 1) * sizeof(SV *), 1);
    if (!visit->filter || !elements || !AvREAL(av)) return; /* @_ of a sub that runs counts nothing */
    for (i = 0; i <= AvFILLp(av); i++) {
#ifdef HvSTASH_IS_CLASS
        /* A class's list of ADJUST blocks has those of its parents, and does not count them. */
        if (is_sought(visit, elements[i]) && SvTYPE(elements[i]) == SVt_PVCV && CvIsMETHOD((CV *)elements[i])) continue;
#endif
        edge(visit, elements[i], MPROF_EDGE_ELEMENT, i, nothing);
    }
}

/* Backreferences are kept in an array that perl counts twice and whose elements count nothing. */
static void backreferences(pTHX_ const void *kept, HeapVisit *visit) {
    const SV *sv = (const SV *)kept;
    if (!sv || SvTYPE(sv) != SVt_PVAV || AvREAL((AV *)sv)) return;
    INTERNAL(sv, "weak references to it");
    INTERNAL(sv, "weak references to it");
}

static void hash(pTHX_ HV *hv, HeapVisit *visit) {
    HE **buckets = HvARRAY(hv);
    STRLEN i;
    bool by_name;
    if (hv == PL_strtab) return; /* its values are counts */
    if (!buckets) return;
    by_name = HvTOTALKEYS(hv) <= KEYS_TOLD_BY_NAME || HvNAME_get(hv);
    buffer(visit, buckets, (HvMAX(hv) + 1) * sizeof(HE *), 1);
    buffer(visit, NULL, HvTOTALKEYS(hv) * KEY_BYTES, 1);
    for (i = 0; visit->filter && i <= HvMAX(hv); i++) {
        const HE *entry;
        for (entry = buckets[i]; entry; entry = HeNEXT(entry)) {
            MprofText key = nothing;
            if (!is_sought(visit, HeVAL(entry))) continue; /* its key is seldom in cache */
            if (by_name && HeKLEN(entry) != HEf_SVKEY) key = text_of(HeKEY(entry), HeKLEN(entry));
            mprof_heap_edge(visit, HeVAL(entry), MPROF_EDGE_VALUE, 0, key);
        }
    }
    if (SvOOK(hv)) {
        const struct xpvhv_aux *more = HvAUX(hv);
        const struct mro_meta *meta = more->xhv_mro_meta;
#ifdef HvSTASH_IS_CLASS
        if (HvSTASH_IS_CLASS(hv)) {
            /* Not what sets its fields: perl counts that once, for the file that declares the class. */
            INTERNAL(more->xhv_class_superclass, "parent class");
            INTERNAL(more->xhv_class_adjust_blocks, "ADJUST blocks");
            INTERNAL(more->xhv_class_param_map, "parameters of its constructor");
        }
#endif
        backreferences(aTHX_ more->xhv_backreferences, visit);
#if !PERL_VERSION_GE(5, 20, 0)
        INTERNAL(more->xhv_super, "SUPER cache");
#endif
        if (meta) {
            if (meta->mro_linear_all) INTERNAL(meta->mro_linear_all, "method resolution order");
            else INTERNAL(meta->mro_linear_current, "method resolution order");
            INTERNAL(meta->mro_nextmethod, "next::method cache");
            INTERNAL(meta->isa, "isa cache");
#if PERL_VERSION_GE(5, 20, 0)
            INTERNAL(meta->super, "SUPER cache");
#endif
        }
    }
}

static void variables_told(pTHX_ const CV *cv, HeapVisit *visit) {
#if PERL_VERSION_GE(5, 22, 0)
    const PADNAMELIST *names = PadlistNAMES(CvPADLIST(cv));
    SSize_t i;
    if (!names) return;
    for (i = 1; i <= PadnamelistMAX(names); i++) {
        const PADNAME *name = PadnamelistARRAY(names)[i];
        if (name && PadnamePV(name) && PadnameLEN(name) > 1)
            mprof_heap_variable(visit, (uint32_t)i, text_of(PadnamePV(name), PadnameLEN(name)));
    }
#endif
}

static void code(pTHX_ const CV *cv, HeapVisit *visit) {
    const PADLIST *pads = CvISXSUB(cv) ? NULL : CvPADLIST(cv);
    if (!visit->filter) return; /* it owns nothing that perl's pools do not have */
    if (!CvWEAKOUTSIDE(cv)) edge(visit, CvOUTSIDE(cv), MPROF_EDGE_OUTER, 0, nothing);
#ifdef CvNAMED
    if (!CvNAMED(cv))
#endif
        if (CvCVGV_RC(cv)) edge(visit, CvGV((CV *)cv), MPROF_EDGE_NAMED_BY, 0, nothing);
    if (CvISXSUB(cv) && CvCONST(cv)) INTERNAL(CvXSUBANY(cv).any_ptr, "constant");
    if (!pads) return;
    if (visit->detailed) variables_told(aTHX_ cv, visit);
    {
        SSize_t depth;
        for (depth = 1; depth <= PadlistMAX(pads); depth++)
            edge(visit, PadlistARRAY(pads)[depth], MPROF_EDGE_VARIABLES, depth, nothing);
    }
}

/* What several globs share (`*a = *b`) is told of the one it was made for. */
static void glob(pTHX_ const GV *gv, HeapVisit *visit) {
    const GP *gp = GvGP(gv);
    if (!gp || (gp->gp_refcnt > 1 && gp->gp_egv != gv)) return;
    buffer(visit, gp, sizeof(GP), 1);
    edge(visit, gp->gp_sv, MPROF_EDGE_SLOT, 0, CONSTANT("SCALAR"));
    edge(visit, gp->gp_av, MPROF_EDGE_SLOT, 0, CONSTANT("ARRAY"));
    edge(visit, gp->gp_hv, MPROF_EDGE_SLOT, 0, CONSTANT("HASH"));
    edge(visit, gp->gp_cv, MPROF_EDGE_SLOT, 0, CONSTANT("CODE"));
    edge(visit, gp->gp_io, MPROF_EDGE_SLOT, 0, CONSTANT("IO"));
    edge(visit, gp->gp_form, MPROF_EDGE_SLOT, 0, CONSTANT("FORMAT"));
}

#ifdef HvSTASH_IS_CLASS
/* An object of `feature 'class'` has its fields one after another: those of its class's parents first. */
static void object(pTHX_ const SV *sv, HeapVisit *visit) {
    SV **fields = ObjectFIELDS(sv);
    const SSize_t last = ObjectMAXFIELD(sv);
    const HV *stash = SvOBJECT(sv) ? SvSTASH(sv) : NULL;
    if (!fields) return;
    buffer(visit, fields, (last + 1) * sizeof(SV *), 1);
    for (; stash && HvSTASH_IS_CLASS(stash); stash = HvAUX(stash)->xhv_class_superclass) {
        const PADNAMELIST *names = HvAUX(stash)->xhv_class_fields;
        SSize_t i;
        for (i = 0; names && i <= PadnamelistMAX(names); i++) {
            const PADNAME *name = PadnamelistARRAY(names)[i];
            const SSize_t index = name && PadnameIsFIELD(name) ? (SSize_t)PadnameFIELDINFO(name)->fieldix : -1;
            if (index >= 0 && index <= last)
                edge(visit, fields[index], MPROF_EDGE_VALUE, 0, text_of(PadnamePV(name), PadnameLEN(name)));
        }
    }
}
#endif

static void magic(pTHX_ const SV *sv, HeapVisit *visit) {
    const MAGIC *mg;
    for (mg = SvMAGIC(sv); mg; mg = mg->mg_moremagic) {
        buffer(visit, mg, sizeof(MAGIC), 1);
        if (mg->mg_flags & MGf_REFCOUNTED)
            edge(visit, mg->mg_obj, MPROF_EDGE_MAGIC, 0, text_of(&mg->mg_type, isGRAPH_A(mg->mg_type) ? 1 : 0));
        else if (mg->mg_type == PERL_MAGIC_backref) backreferences(aTHX_ mg->mg_obj, visit);
        if (mg->mg_len == HEf_SVKEY) INTERNAL(mg->mg_ptr, "key of magic");
        else if (mg->mg_len > 0 && mg->mg_ptr) buffer(visit, mg->mg_ptr, mg->mg_len, 1);
    }
}

/* Bytes of a body, which perl takes from a pool for its type and cuts to what the type needs. */
static size_t body_bytes(const SV *sv) {
    const size_t unused = STRUCT_OFFSET(XPV, xpv_cur);
    switch (SvTYPE(sv)) {
    case SVt_NULL:
    case SVt_IV: return 0;
#if NVSIZE <= IVSIZE && PERL_VERSION_GE(5, 22, 0)
    case SVt_NV: return 0;
#else
    case SVt_NV: return sizeof(NV);
#endif
    case SVt_PV: return sizeof(XPV) - unused;
    case SVt_PVIV: return sizeof(XPVIV) - unused;
    case SVt_PVNV: return sizeof(XPVNV) - unused;
    case SVt_PVMG: return sizeof(XPVMG);
    case SVt_PVLV: return sizeof(XPVLV);
    case SVt_PVGV: return sizeof(XPVGV);
    case SVt_PVAV: return sizeof(XPVAV);
    case SVt_PVHV: return sizeof(XPVHV);
    case SVt_PVCV: return sizeof(XPVCV);
    case SVt_PVFM: return sizeof(XPVFM);
    case SVt_PVIO: return sizeof(XPVIO);
    case SVt_REGEXP: return sizeof(struct regexp);
#ifdef HvSTASH_IS_CLASS
    case SVt_PVOBJ: return sizeof(XPVOBJ);
#endif
    default: return sizeof(XPVMG);
    }
}

static MprofKind kind_of(const SV *sv) {
    switch (SvTYPE(sv)) {
    case SVt_PVAV: return MPROF_KIND_ARRAY;
    case SVt_PVHV: return HvNAME_get((HV *)sv) ? MPROF_KIND_STASH : MPROF_KIND_HASH;
    case SVt_PVCV: return MPROF_KIND_CODE;
    case SVt_PVFM: return MPROF_KIND_FORMAT;
    case SVt_PVIO: return MPROF_KIND_IO;
    case SVt_REGEXP: return MPROF_KIND_REGEXP;
#ifdef HvSTASH_IS_CLASS
    case SVt_PVOBJ: return MPROF_KIND_OBJECT;
#endif
    case SVt_PVGV:
    case SVt_PVLV:
        if (isGV_with_GP(sv)) return MPROF_KIND_GLOB;
        return SvTYPE(sv) == SVt_PVLV ? MPROF_KIND_LVALUE : MPROF_KIND_PLAIN;
    default:
        if (SvTYPE(sv) > SVt_PVMG) return MPROF_KIND_OTHER;
        return SvROK(sv) ? MPROF_KIND_REFERENCE : MPROF_KIND_PLAIN;
    }
}

static void name_of(pTHX_ const SV *sv, MprofScalar *told) {
    MprofSub *sub = &told->sub;
    const HV *stash = NULL;
    switch (told->kind) {
    case MPROF_KIND_CODE:
    case MPROF_KIND_FORMAT:
        if ((const CV *)sv == PL_main_cv) sub->name = CONSTANT("(main program)");
        else if (CvEVAL((const CV *)sv)) sub->name = CONSTANT("(eval)");
        else shim_describe(aTHX_ (const CV *)sv, sub);
        return;
    case MPROF_KIND_GLOB:
        stash = GvSTASH((const GV *)sv);
        sub->name = text_of(GvNAME((const GV *)sv), GvNAMELEN((const GV *)sv));
        break;
    case MPROF_KIND_STASH: sub->name = text_of(HvNAME_get((HV *)sv), HvNAMELEN_get((HV *)sv)); break;
    default: break;
    }
    if (stash && HvNAME_get((HV *)stash))
        sub->package = text_of(HvNAME_get((HV *)stash), HvNAMELEN_get((HV *)stash));
}

/* What will be looked at of a scalar that is told of a little later: mostly it is not in cache yet. */
PERL_STATIC_INLINE void fetch_ahead(const SV *sv) {
    __builtin_prefetch((const char *)SvANY(sv) + STRUCT_OFFSET(XPV, xpv_cur));
    if (SvTYPE(sv) >= SVt_PVGV || SvIsCOW(sv)) __builtin_prefetch(sv->sv_u.svu_array);
}

void shim_describe_scalar(const void *perl, const void *scalar, HeapVisit *visit, MprofScalar *told) {
#ifdef MULTIPLICITY
    PerlInterpreter *my_perl = (PerlInterpreter *)perl;
#endif
    SV *sv = (SV *)scalar;
    const U32 type = SvTYPE(sv);
    PERL_UNUSED_VAR(perl);
    if (visit->ahead) fetch_ahead((const SV *)visit->ahead);
    told->kind = kind_of(sv);
    told->references = SvREFCNT(sv);
    told->body_bytes = (uint32_t)(sizeof(SV) + body_bytes(sv));
    /* It is being freed, perhaps by a DESTROY that called exit: perl keeps what it still has to do where its class and
     * its magic were. */
    if (!SvREFCNT(sv)) return;
    if (visit->detailed) name_of(aTHX_ sv, told);
    if (SvOBJECT(sv) && type >= SVt_PVMG) {
        HV *stash = SvSTASH(sv);
        if (HvNAME_get(stash)) told->blessed_into = text_of(HvNAME_get(stash), HvNAMELEN_get(stash));
        edge(visit, stash, MPROF_EDGE_CLASS, 0, nothing);
    }
    if (type >= SVt_PVMG && SvMAGIC(sv)
#if !PERL_VERSION_GE(5, 22, 0)
        && !(type == SVt_PVMG && SvPAD_OUR(sv)) /* a name in a pad keeps something else there */
#endif
    )
        magic(aTHX_ sv, visit);
    switch (told->kind) {
    case MPROF_KIND_ARRAY: array(aTHX_ (AV *)sv, visit); return;
    case MPROF_KIND_HASH:
    case MPROF_KIND_STASH: hash(aTHX_ (HV *)sv, visit); return;
    case MPROF_KIND_CODE:
    case MPROF_KIND_FORMAT: code(aTHX_ (const CV *)sv, visit); return;
    case MPROF_KIND_GLOB: glob(aTHX_ (const GV *)sv, visit); return;
#ifdef HvSTASH_IS_CLASS
    case MPROF_KIND_OBJECT: object(aTHX_ sv, visit); return;
#endif
    case MPROF_KIND_IO:
    case MPROF_KIND_OTHER: return;
    case MPROF_KIND_REGEXP: {
        const struct regexp *regexp = ReANY((REGEXP *)sv);
        INTERNAL(regexp->qr_anoncv, "code of a regular expression");
        /* A copy has the names of its original and does not count them. */
        if (regexp->mother_re) INTERNAL(regexp->mother_re, "regular expression it was copied from");
        else INTERNAL(regexp->paren_names, "names of its groups");
#ifdef PERL_ANY_COW
        INTERNAL(regexp->saved_copy, "what it matched last");
#endif
        return;
    }
    case MPROF_KIND_LVALUE:
        if (LvTYPE(sv) != 't' && LvTYPE(sv) != 'T') INTERNAL(LvTARG(sv), "target of an lvalue");
        break;
    default: break;
    }
    if (SvROK(sv)) edge(visit, SvRV(sv), SvWEAKREF(sv) ? MPROF_EDGE_WEAK : MPROF_EDGE_REFERENT, 0, nothing);
    else if (type >= SVt_PV) text_buffer(aTHX_ sv, visit);
}

MprofText shim_heap_root(const void *perl, uint32_t index, HeapVisit *visit) {
#ifdef MULTIPLICITY
    PerlInterpreter *my_perl = (PerlInterpreter *)perl;
#endif
    PERL_UNUSED_VAR(perl);
    switch (index) {
    case 0: INTERNAL(PL_diehook, "__DIE__"); return CONSTANT("$SIG{__DIE__}, as it is in force");
    case 1: INTERNAL(PL_warnhook, "__WARN__"); return CONSTANT("$SIG{__WARN__}, as it is in force");
    case 2: INTERNAL(PL_endav, "END"); return CONSTANT("END blocks");
    case 3: INTERNAL(PL_main_cv, "main"); return CONSTANT("the interpreter");
    case 4: {
        SSize_t i;
        for (i = 0; i <= PL_tmps_ix; i++) edge(visit, PL_tmps_stack[i], MPROF_EDGE_INTERNAL, 0, nothing);
        return CONSTANT("temporary values of the statements that run");
    }
    case 5: {
        SSize_t i;
        if (PL_psig_ptr)
            for (i = 0; i < SIG_SIZE; i++) edge(visit, PL_psig_ptr[i], MPROF_EDGE_INTERNAL, 0, nothing);
        return CONSTANT("handlers of signals");
    }
    default: return nothing;
    }
}
