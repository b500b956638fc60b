//! The journal: where a record is safe the moment the logging call returns.
//!
//! **What is promised.** A record whose logging call returned is in a shared mapping of a file, so it is in the page cache:
//! it survives the death of the process by SIGKILL, abort, a segfault or the out-of-memory killer. It does not survive the
//! loss of power until the kernel has written it back, or, with `Durability::Disk`, until the next sync.
//!
//! **How it works.** A journal is a folder of numbered segments of one size. A logging call reserves room in the active
//! segment by one atomic addition, copies its bytes there and publishes them by storing the frame's header; it takes no
//! lock and makes no system call. A background thread, the keeper, has the next segments ready: blocks allocated, pages
//! present, header written. When the active segment is full a logging call moves on to the next; only when none is ready
//! does it wait, for [`ring::PATIENCE`] at most, and then it counts the record as lost (guarantee G1).
//!
//! **Who else touches it.** The drain reads segments as files, never through the mapping. A folder whose lock is free
//! belongs to a writer that died; `recovery` reads what it left.

mod abort;
mod folder;
mod keeper;
mod lock;
mod losses;
mod mapping;
mod process;
mod reader;
mod ring;
mod segment;
mod writer;

pub(crate) use abort::leave as leave_abort_request;
pub(crate) use folder::{Folder, WriterFolder};
pub(crate) use keeper::Keeper;
pub(crate) use lock::Lock;
pub(crate) use losses::{Death, Remains};
pub(crate) use process::Process;
pub(crate) use reader::{Batch, ReadError, Reader, Reading};
#[cfg(feature = "embedded")]
pub(crate) use segment::check_file_limit;
pub(crate) use writer::{Journal, Opened, Syncing};

/// Bytes of a segment. Large enough that a burst turns over few of them, small enough that the three or four that are
/// mapped at a time stay within the client's memory.
pub(crate) const SEGMENT_BYTES: u64 = 2 << 20;
