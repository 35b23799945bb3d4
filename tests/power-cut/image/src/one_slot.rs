//! What no firmware should do: [`OneSlot`], which writes over the only copy.

use redress_embassy::durable::Slots;

/// Both slots in the place of the first.
pub struct OneSlot<S>(pub S);

impl<S: Slots> Slots for OneSlot<S> {
    type Error = S::Error;

    fn size(&self) -> usize {
        self.0.size()
    }

    fn read(&mut self, _: u8, bytes: &mut [u8]) -> Result<(), S::Error> {
        self.0.read(0, bytes)
    }

    fn write(&mut self, _: u8, bytes: &[u8]) -> Result<(), S::Error> {
        self.0.write(0, bytes)
    }
}
