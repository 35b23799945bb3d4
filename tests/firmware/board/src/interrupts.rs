//! Two interrupts of a board: a timer that fires once, and below it one that software
//! asks for. The timer preempts the other, and both preempt the thread.

use core::cell::Cell;

use critical_section::Mutex;

/// What the timer's interrupt does; it is given the address that it preempted.
pub type OnTimer = fn(usize);
/// What the lower interrupt does.
pub type OnSoft = fn();

static ON_TIMER: Mutex<Cell<Option<OnTimer>>> = Mutex::new(Cell::new(None));
static ON_SOFT: Mutex<Cell<Option<OnSoft>>> = Mutex::new(Cell::new(None));

/// Takes the two handlers and lets the interrupts come.
pub fn start(on_timer: OnTimer, on_soft: OnSoft) {
    critical_section::with(|cs| {
        ON_TIMER.borrow(cs).set(Some(on_timer));
        ON_SOFT.borrow(cs).set(Some(on_soft));
    });
    machine::start();
}

/// The timer fires once, after so many of its ticks (1 to 16,000,000). Returns the ticks
/// since it was last set, as [`elapsed`] would at this very moment.
pub fn fire_in(ticks: u32) -> u64 {
    machine::fire_in(ticks)
}

/// The timer's ticks in a second.
pub const HZ: u32 = machine::HZ;

/// Ticks since the timer was last set, past its firing too.
pub fn elapsed() -> u64 {
    machine::elapsed()
}

/// The timer does not fire any more.
pub fn stop() {
    machine::stop();
}

/// Asks for the lower interrupt.
pub fn pend_soft() {
    machine::pend_soft();
}

fn timer(preempted: usize) {
    if let Some(handler) = critical_section::with(|cs| ON_TIMER.borrow(cs).get()) {
        handler(preempted);
    }
}

fn soft() {
    if let Some(handler) = critical_section::with(|cs| ON_SOFT.borrow(cs).get()) {
        handler();
    }
}

/// SysTick above PendSV.
#[cfg(target_arch = "arm")]
mod machine {
    use core::sync::atomic::{AtomicBool, Ordering};

    use cortex_m::peripheral::scb::SystemHandler;
    use cortex_m::peripheral::syst::SystClkSource;
    use cortex_m::peripheral::{Peripherals, SCB, SYST};

    #[cfg(board = "microbit")]
    pub(super) const HZ: u32 = 16_000_000;
    #[cfg(board = "lm3s6965evb")]
    pub(super) const HZ: u32 = 12_500_000;
    #[cfg(board = "mps2-an386")]
    pub(super) const HZ: u32 = 25_000_000;

    // The address that was preempted lies in the exception frame, to which the main
    // stack pointer still points when a handler begins.
    core::arch::global_asm!(
        ".section .text.SysTick,\"ax\",%progbits",
        ".global SysTick",
        ".type SysTick,%function",
        ".thumb_func",
        "SysTick:",
        "mrs r0, msp",
        "ldr r0, [r0, #24]",
        "ldr r1, =redress_timer",
        "bx r1",
        ".ltorg",
    );

    #[unsafe(no_mangle)]
    extern "C" fn redress_timer(preempted: usize) {
        // It fires once: until it is set anew it counts on without an interrupt, and
        // what it has counted so far is not forgotten.
        FIRED.store(true, Ordering::Relaxed);
        systick().disable_interrupt();
        super::timer(preempted);
    }

    /// Whether the period for which the timer was set has passed.
    static FIRED: AtomicBool = AtomicBool::new(false);

    pub(super) fn elapsed() -> u64 {
        let period = SYST::get_reload() + 1;
        let left = SYST::get_current();
        let fired = FIRED.load(Ordering::Relaxed) || SCB::is_pendst_pending();
        // It may have started anew between the two questions.
        let left = if fired { SYST::get_current() } else { left };
        let part = if left == 0 { 0 } else { period - left };
        u64::from(part) + if fired { u64::from(period) } else { 0 }
    }

    #[cortex_m_rt::exception]
    fn PendSV() {
        super::soft();
    }

    fn systick() -> SYST {
        // SAFETY: the timer is used by this module alone, a register at a time.
        unsafe { Peripherals::steal().SYST }
    }

    pub(super) fn start() {
        // SAFETY: priorities are set before any of the two interrupts may come.
        unsafe {
            let mut peripherals = Peripherals::steal();
            peripherals.SCB.set_priority(SystemHandler::SysTick, 0);
            peripherals.SCB.set_priority(SystemHandler::PendSV, 0xFF);
        }
        systick().set_clock_source(SystClkSource::Core);
    }

    pub(super) fn fire_in(ticks: u32) -> u64 {
        let mut timer = systick();
        let elapsed = elapsed();
        timer.set_reload(ticks.clamp(1, 0x00FF_FFFF));
        timer.clear_current();
        SCB::clear_pendst();
        FIRED.store(false, Ordering::Relaxed);
        timer.enable_interrupt();
        timer.enable_counter();
        elapsed
    }

    pub(super) fn stop() {
        let mut timer = systick();
        timer.disable_counter();
        timer.disable_interrupt();
    }

    pub(super) fn pend_soft() {
        SCB::set_pendsv();
    }
}

/// The machine timer above the machine software interrupt, both of the CLINT.
#[cfg(target_arch = "riscv32")]
mod machine {
    use core::cell::Cell;
    use core::ptr::{read_volatile, write_volatile};

    use critical_section::Mutex;

    use riscv::interrupt::Interrupt;
    use riscv::register::{mepc, mie, mstatus};

    pub(super) const HZ: u32 = 10_000_000;

    static SET_AT: Mutex<Cell<u64>> = Mutex::new(Cell::new(0));

    pub(super) fn elapsed() -> u64 {
        critical_section::with(|cs| now() - SET_AT.borrow(cs).get())
    }

    const MSIP: *mut u32 = 0x0200_0000 as *mut u32;
    const MTIMECMP: *mut u32 = 0x0200_4000 as *mut u32;
    const MTIME: *mut u32 = 0x0200_BFF8 as *mut u32;

    // SAFETY, of all that follows: these are the registers of the CLINT on this board,
    // written by this module alone.

    #[riscv_rt::core_interrupt(Interrupt::MachineTimer)]
    fn on_timer() {
        stop();
        super::timer(mepc::read());
    }

    #[riscv_rt::core_interrupt(Interrupt::MachineSoft)]
    fn on_soft() {
        unsafe {
            write_volatile(MSIP, 0);
            // The timer may come now, this one may not.
            let (status, address) = (mstatus::read(), mepc::read());
            mie::clear_msoft();
            riscv::interrupt::enable();
            super::soft();
            riscv::interrupt::disable();
            mie::set_msoft();
            mepc::write(address);
            mstatus::write(status);
        }
    }

    pub(super) fn start() {
        stop();
        unsafe {
            mie::set_msoft();
            mie::set_mtimer();
            riscv::interrupt::enable();
        }
    }

    fn now() -> u64 {
        loop {
            let (high, low, again) = unsafe {
                (read_volatile(MTIME.add(1)), read_volatile(MTIME), read_volatile(MTIME.add(1)))
            };
            if high == again {
                return u64::from(high) << 32 | u64::from(low);
            }
        }
    }

    fn set(at: u64) {
        unsafe {
            write_volatile(MTIMECMP.add(1), u32::MAX);
            write_volatile(MTIMECMP, at as u32);
            write_volatile(MTIMECMP.add(1), (at >> 32) as u32);
        }
    }

    pub(super) fn fire_in(ticks: u32) -> u64 {
        let now = now();
        set(now + u64::from(ticks));
        critical_section::with(|cs| now - SET_AT.borrow(cs).replace(now))
    }

    pub(super) fn stop() {
        set(u64::MAX);
    }

    pub(super) fn pend_soft() {
        unsafe { write_volatile(MSIP, 1) };
    }
}
