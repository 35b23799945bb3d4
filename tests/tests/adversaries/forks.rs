//! Processes that are forked off: a copy of all memory, the state of every generator included.

use std::fs::File;
use std::io::Read;
use std::os::fd::FromRawFd;

use redress::random::{Draw, SystemRandom};

const NUMBERS: usize = 8;

/// The numbers that a forked process draws.
fn drawn_by_a_child() -> Vec<u8> {
    let mut ends = [0; 2];
    // SAFETY: `ends` has room for two descriptors. The child draws, writes to its end and
    // exits, without unwinding and without running anything of the parent's.
    unsafe {
        assert_eq!(libc::pipe(ends.as_mut_ptr()), 0);
        let child = libc::fork();
        assert!(child >= 0);
        if child == 0 {
            let numbers: [u32; NUMBERS] =
                std::array::from_fn(|_| SystemRandom.draw().unwrap_or_default());
            let length = size_of_val(&numbers);
            let written = libc::write(ends[1], numbers.as_ptr().cast(), length);
            libc::_exit(i32::from(written != length as isize));
        }
        libc::close(ends[1]);
        let mut drawn = Vec::new();
        File::from_raw_fd(ends[0]).read_to_end(&mut drawn).unwrap();
        let mut status = 0;
        assert_eq!(libc::waitpid(child, &raw mut status, 0), child);
        assert_eq!((status, drawn.len()), (0, 4 * NUMBERS));
        drawn
    }
}

/// Workers that a server has forked off do not retry together.
#[test]
fn forked_processes_draw_different_numbers() {
    // The keys of this thread are made before the fork.
    SystemRandom.draw();
    let children: Vec<_> = (0..3).map(|_| drawn_by_a_child()).collect();
    let own: Vec<u8> =
        (0..NUMBERS).flat_map(|_| SystemRandom.draw().unwrap().to_le_bytes()).collect();
    for (nth, drawn) in children.iter().enumerate() {
        assert_ne!(*drawn, own);
        assert!(!children[..nth].contains(drawn), "{children:?}");
    }
}
