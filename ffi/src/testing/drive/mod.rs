//! Calls of the C ABI in an order and with arguments that octets say: any objects, any handles, live and stale, of this engine
//! and of others; octets from one engine to another, whole, in parts and altered. All of it is what the header allows, so a
//! panic, a crash, or memory that is used wrongly is a fault of the library's.
//!
//! `table` has every function, `arguments` what they are given, `world` what there is to give, `scenes` the sequences of calls
//! that random ones would hardly ever make up.

/// The table of functions: with `small` behind those whose numbers have to be small.
macro_rules! table {
    ($($name:ident($($any:tt),*) $($small:ident)?;)*) => {
        /// All of them.
        pub(super) const TABLE: &[$crate::testing::drive::Entry] = &[$((
            stringify!($name),
            table!(@ $($small)?),
            |world| {
                let function: unsafe extern "C" fn($($any),*) -> _ = $name;
                $crate::testing::drive::arguments::Call::call(function, world);
            },
        )),*];
    };
    (@ small) => { true };
    (@) => { false };
}

mod arguments;
mod scenes;
mod table;
mod world;

use core::ffi::c_int;
use std::sync::OnceLock;

use self::table::TABLE;
use self::world::World;

/// A function's name, whether its numbers have to be small, and the call.
type Entry = (&'static str, bool, fn(&mut World<'_>));

/// Octet 0: bit 0, whether two engines are connected already; bit 1, whether there are messengers. Then one step after the
/// other, each one octet and what it needs.
pub fn abi(octets: &[u8]) {
    let Some((mode, octets)) = octets.split_first() else {
        return;
    };
    let mut world = World::new(octets);
    scenes::make_engines(&mut world);
    if mode & 1 != 0 {
        scenes::connect(&mut world);
    }
    if mode & 2 != 0 {
        scenes::make_messengers(&mut world);
    }
    while let Some(step) = world.input.next() {
        match step {
            ..192 => {
                let entry = function(u16::from_be_bytes([step, world.input.octet()]));
                // Messengers open sockets: they come only where they are wanted.
                if mode & 2 != 0 || !entry.0.contains("_messenger_") {
                    world.call(entry);
                }
            }
            192..224 => scenes::carry(&mut world, step),
            224..240 => scenes::react(&mut world, step),
            _ => scenes::send(&mut world, step),
        }
    }
}

/// The function that two octets name: the one whose own number comes next. A function's number depends on nothing but its
/// name, so that octets mean the same when others have been added.
fn function(number: u16) -> &'static Entry {
    static NUMBERED: OnceLock<Vec<(u16, &Entry)>> = OnceLock::new();
    let numbered = NUMBERED.get_or_init(|| {
        let number = |name: &str| {
            // FNV-1a.
            let hash = name.bytes().fold(0x811c_9dc5_u32, |hash, octet| {
                (hash ^ u32::from(octet)).wrapping_mul(0x0100_0193)
            });
            (hash % (192 << 8)) as u16
        };
        let mut numbered: Vec<_> = TABLE.iter().map(|entry| (number(entry.0), entry)).collect();
        numbered.sort_unstable_by_key(|(number, entry)| (*number, entry.0));
        // Two of a number would be one too few.
        let mut least = 0;
        for (number, _) in &mut numbered {
            *number = least.max(*number);
            least = *number + 1;
        }
        numbered
    });
    let next = numbered.partition_point(|(own, _)| *own < number);
    numbered[next % numbered.len()].1
}

/// [`abi`] for C.
///
/// # Safety
/// `len` octets can be read at `data`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_testing_drive(data: *const u8, len: usize) -> c_int {
    // SAFETY: the caller's promise.
    abi(unsafe { core::slice::from_raw_parts(data, len) });
    0
}
