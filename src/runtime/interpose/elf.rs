//! Loaded objects and the relocations that lead from them to functions of others. Reads what the dynamic linker has
//! mapped; changes nothing.

use libc::{dl_phdr_info, Elf64_Phdr};
use std::ffi::{c_int, c_void, CStr};
use std::ops::Range;

/// A loaded object.
pub struct Object {
    /// What the dynamic linker adds to the object's addresses.
    pub base: usize,
    /// Address of its dynamic section: with `base`, what tells it from others.
    pub dynamic: usize,
    /// Does it say where its own libraries are (RPATH or RUNPATH)? Then `dlopen` depends on who calls it.
    pub has_runpath: bool,
    /// Its number among those with thread-local variables; 0 where it has none.
    pub tls_module: usize,
    /// Addresses that are read-only once relocated.
    pub relro: Range<usize>,
    relocations: [Range<usize>; 2],
    symbols: usize,
    names: usize,
}

/// A slot that holds the address of a function of the given name.
pub struct Slot<'a> {
    /// Address of the slot.
    pub address: usize,
    /// Name of the function.
    pub name: &'a CStr,
}

#[repr(C)]
struct Dynamic {
    tag: i64,
    value: usize,
}

#[repr(C)]
struct Relocation {
    offset: usize,
    info: u64,
    addend: i64,
}

#[repr(C)]
struct Symbol {
    name: u32,
    info: u8,
    other: u8,
    section: u16,
    value: usize,
    size: usize,
}

const DT_PLTRELSZ: i64 = 2;
const DT_STRTAB: i64 = 5;
const DT_SYMTAB: i64 = 6;
const DT_RELA: i64 = 7;
const DT_RELASZ: i64 = 8;
const DT_RPATH: i64 = 15;
const DT_JMPREL: i64 = 23;
const DT_RUNPATH: i64 = 29;

/// Relocations that store a function's plain address: absolute, GLOB_DAT, JUMP_SLOT.
#[cfg(target_arch = "x86_64")]
const FUNCTION_ADDRESS: [u32; 3] = [1, 6, 7];
#[cfg(target_arch = "aarch64")]
const FUNCTION_ADDRESS: [u32; 3] = [257, 1025, 1026];

/// How often objects were loaded and unloaded so far, as the dynamic linker counts; `None` where it does not.
pub fn load_counts() -> Option<(u64, u64)> {
    unsafe extern "C" fn first(info: *mut dl_phdr_info, size: usize, out: *mut c_void) -> c_int {
        // SAFETY: the linker gives a valid `info` of `size` bytes; `out` is the caller's option.
        unsafe {
            if size >= std::mem::size_of::<dl_phdr_info>() {
                *out.cast::<Option<(u64, u64)>>() = Some(((*info).dlpi_adds, (*info).dlpi_subs));
            }
        }
        1
    }
    let mut counts: Option<(u64, u64)> = None;
    // SAFETY: `first` matches the expected signature and stops at the first object.
    unsafe { libc::dl_iterate_phdr(Some(first), (&raw mut counts).cast()) };
    counts
}

/// Calls `each` with every loaded object that may be patched.
///
/// The dynamic linker holds a lock meanwhile, so `each` must not load or unload anything.
pub fn for_each_object(mut each: impl FnMut(&Object)) {
    unsafe extern "C" fn visit<F: FnMut(&Object)>(info: *mut dl_phdr_info, _: usize, each: *mut c_void) -> c_int {
        // SAFETY: `info` is the linker's and valid during the call; `each` is the closure passed below.
        unsafe {
            if let Some(object) = object(&*info) {
                (*each.cast::<F>())(&object);
            }
        }
        0
    }
    fn start<F: FnMut(&Object)>(each: &mut F) {
        // SAFETY: `visit::<F>` is told the same F that `each` has.
        unsafe { libc::dl_iterate_phdr(Some(visit::<F>), (each as *mut F).cast()) };
    }
    start(&mut each);
}

/// # Safety
/// `info` describes a mapped object.
unsafe fn object(info: &dl_phdr_info) -> Option<Object> {
    let base = info.dlpi_addr as usize;
    // SAFETY: getauxval has no precondition.
    let (linker, vdso) = unsafe { (libc::getauxval(libc::AT_BASE), libc::getauxval(libc::AT_SYSINFO_EHDR)) };
    if base != 0 && (base as u64 == linker || base as u64 == vdso) {
        return None;
    }
    // SAFETY: the linker gives the address and number of the program headers.
    let headers: &[Elf64_Phdr] = unsafe { std::slice::from_raw_parts(info.dlpi_phdr, info.dlpi_phnum as usize) };
    let range = |header: &Elf64_Phdr| {
        let start = base + header.p_vaddr as usize;
        start..start + header.p_memsz as usize
    };
    let own = load_counts as fn() -> Option<(u64, u64)> as usize;
    if headers.iter().any(|header| header.p_type == libc::PT_LOAD && range(header).contains(&own)) {
        return None;
    }
    let dynamic = headers.iter().find(|header| header.p_type == libc::PT_DYNAMIC).map(range)?.start;
    let relro = headers.iter().find(|header| header.p_type == libc::PT_GNU_RELRO).map_or(0..0, range);
    let mut object = Object {
        base,
        dynamic,
        has_runpath: false,
        tls_module: info.dlpi_tls_modid,
        relro,
        relocations: [0..0, 0..0],
        symbols: 0,
        names: 0,
    };
    let (mut rela, mut rela_size, mut plt, mut plt_size) = (0, 0, 0, 0);
    let mut entry = dynamic as *const Dynamic;
    loop {
        // SAFETY: a dynamic section ends with an entry of tag 0.
        let &Dynamic { tag, value } = unsafe { &*entry };
        // glibc relocates the addresses in the section, others leave them as they were in the file.
        let address = if value < base { base + value } else { value };
        match tag {
            0 => break,
            DT_RELA => rela = address,
            DT_RELASZ => rela_size = value,
            DT_JMPREL => plt = address,
            DT_PLTRELSZ => plt_size = value,
            DT_SYMTAB => object.symbols = address,
            DT_STRTAB => object.names = address,
            DT_RPATH | DT_RUNPATH => object.has_runpath = true,
            _ => {}
        }
        // SAFETY: the terminating entry has not been reached.
        entry = unsafe { entry.add(1) };
    }
    object.relocations = [rela..rela + rela_size, plt..plt + plt_size];
    (object.symbols != 0 && object.names != 0).then_some(object)
}

impl Object {
    /// Calls `each` with every slot that holds the address of a named function.
    pub fn for_each_slot(&self, mut each: impl FnMut(&Slot)) {
        for table in self.relocations.iter().filter(|table| !table.is_empty()) {
            let count = table.len() / std::mem::size_of::<Relocation>();
            // SAFETY: the dynamic section gave the table's address and size; the object is mapped while we look.
            let relocations = unsafe { std::slice::from_raw_parts(table.start as *const Relocation, count) };
            for relocation in relocations {
                let (symbol, kind) = ((relocation.info >> 32) as usize, relocation.info as u32);
                if symbol == 0 || relocation.addend != 0 || !FUNCTION_ADDRESS.contains(&kind) {
                    continue;
                }
                // SAFETY: the relocation names a symbol of the object's table, and that a string of its own.
                let name = unsafe {
                    let symbol = &*(self.symbols as *const Symbol).add(symbol);
                    CStr::from_ptr((self.names + symbol.name as usize) as *const _)
                };
                each(&Slot { address: self.base + relocation.offset, name });
            }
        }
    }
}
