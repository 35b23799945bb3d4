//! Memory-mapped registers: the one place that reads and writes them.

/// A 32-bit register of the chip.
#[derive(Clone, Copy)]
pub struct Register(usize);

impl Register {
    /// The register at this address.
    ///
    /// # Safety
    ///
    /// A register of this chip must be there, and neither reading nor writing it may
    /// change memory that Rust owns.
    pub const unsafe fn at(address: usize) -> Self {
        Self(address)
    }

    pub fn read(self) -> u32 {
        // SAFETY: promised when the register was made.
        unsafe { (self.0 as *const u32).read_volatile() }
    }

    pub fn write(self, value: u32) {
        // SAFETY: promised when the register was made.
        unsafe { (self.0 as *mut u32).write_volatile(value) }
    }

    /// Sets these bits and leaves the others.
    pub fn set(self, bits: u32) {
        self.write(self.read() | bits);
    }
}
