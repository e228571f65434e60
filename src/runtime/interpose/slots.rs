//! Rewrites the slots of loaded objects to our functions. They stay so to the end of the process: a function of ours
//! whose recorder is gone is the real one and a load more.

use super::elf::{for_each_object, load_counts, Object, Slot};
use super::{allocator, credentials, process};
use crate::runtime::{libc_threads, statm};
use parking_lot::Mutex;
use std::ffi::CStr;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A function of ours and the one it stands in for.
pub struct Hook {
    /// Name of the function.
    pub name: &'static CStr,
    /// Address of ours.
    pub ours: usize,
}

struct Patched {
    /// Objects seen, by base and dynamic section.
    objects: Vec<(usize, usize)>,
    /// Slots rewritten.
    slots: usize,
    counts: Option<(u64, u64)>,
}

static PATCHED: Mutex<Patched> = Mutex::new(Patched { objects: Vec::new(), slots: 0, counts: None });

/// Patches every object that has been loaded since the last call. Returns the number of slots patched in all.
///
/// Cheap when nothing was loaded.
pub fn patch_all() -> usize {
    patch_loaded(&mut PATCHED.lock())
}

/// As [`patch_all`], unless that is under way: what it calls may have led here.
pub fn patch_if_idle() {
    if let Some(mut patched) = PATCHED.try_lock() {
        patch_loaded(&mut patched);
    }
}

fn patch_loaded(patched: &mut Patched) -> usize {
    let counts = load_counts();
    if counts.is_some() && counts == patched.counts {
        return patched.slots;
    }
    if counts.map(|c| c.1) != patched.counts.map(|c| c.1) {
        // Something was unloaded; another object may be mapped there now.
        patched.objects.clear();
    }
    patched.counts = counts;
    let hooks: Vec<Hook> =
        [allocator::HOOKS, process::HOOKS, credentials::HOOKS].into_iter().flatten().map(|hook| hook()).collect();
    for_each_object(|object| {
        let identity = (object.base, object.dynamic);
        if !patched.objects.contains(&identity) {
            patched.objects.push(identity);
            libc_threads::met_module(object.tls_module);
            object.for_each_slot(|slot| patched.slots += usize::from(patch(object, slot, &hooks)));
        }
    });
    patched.slots
}

fn patch(object: &Object, slot: &Slot, hooks: &[Hook]) -> bool {
    let Some(hook) = hooks.iter().find(|hook| hook.name == slot.name) else { return false };
    // Who is told where its libraries are by its own file must call the dynamic linker itself.
    if object.has_runpath && process::depends_on_caller(hook.name) {
        return false;
    }
    read(slot.address) != hook.ours && write(slot.address, hook.ours, object.relro.contains(&slot.address))
}

fn read(address: usize) -> usize {
    // SAFETY: a slot of a mapped object, aligned as all relocations of pointers are.
    unsafe { (*(address as *const AtomicUsize)).load(Ordering::Relaxed) }
}

fn write(address: usize, value: usize, read_only: bool) -> bool {
    let page = statm::page_bytes() as usize;
    let start = address & !(page - 1);
    let protect = |protection| {
        // SAFETY: the page holds only data that is read-only after relocation; it gets its protection back at once.
        unsafe { libc::mprotect(start as *mut _, page, protection) == 0 }
    };
    if read_only && !protect(libc::PROT_READ | libc::PROT_WRITE) {
        return false;
    }
    // SAFETY: a slot of a mapped object that is writable now. Other threads read either value, both callable.
    unsafe { (*(address as *const AtomicUsize)).store(value, Ordering::Relaxed) };
    !read_only || protect(libc::PROT_READ)
}
