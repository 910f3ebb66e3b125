//! What mps2-an386 has, as far as QEMU models it: two UARTs and a free-running clock. Refuses interrupt handlers:
//! the CPU sleeps until one is pending, and the main loop looks.

use core::cell::Cell;
use core::convert::Infallible;

use cortex_m::peripheral::{NVIC, SCB};
use embedded_io::{ErrorType, Read, ReadReady, Write};

const UART: [usize; 2] = [0x4000_4000, 0x4000_5000];
/// Receive interrupts of the two UARTs (ARM DAI 0386, table 4-1).
const UART_IRQ: [u16; 2] = [0, 2];
const TIMER: usize = 0x4000_0000;
/// The processor's own, which wakes it (ARM DDI 0403, section B3.3).
const SYSTICK: usize = 0xe000_e010;
/// Ticks of the timer in a millisecond: 25 MHz.
const TICKS_PER_MS: u32 = 25_000;

/// Interrupts stay masked: none is ever taken, and the table of their handlers is no longer than it must be.
#[unsafe(link_section = ".vector_table.interrupts")]
#[unsafe(no_mangle)]
pub static __INTERRUPTS: [usize; 1] = [0];

/// An interrupt line by its number.
#[derive(Clone, Copy)]
struct Irq(u16);

// SAFETY: the numbers come from the table above and are below the 32 lines of this part.
unsafe impl cortex_m::interrupt::InterruptNumber for Irq {
    fn number(self) -> u16 {
        self.0
    }
}

pub(crate) fn read(address: usize) -> u32 {
    // SAFETY: called only with addresses of peripheral registers of this board, and of its flash.
    unsafe { (address as *const u32).read_volatile() }
}

pub(crate) fn write(address: usize, value: u32) {
    // SAFETY: as for `read`.
    unsafe { (address as *mut u32).write_volatile(value) }
}

/// A CMSDK APB UART (ARM DDI 0479, section 4.3). QEMU models no bit rate.
pub struct Uart {
    base: usize,
}

impl Uart {
    /// UART `number`, 0 or 1, switched on.
    pub fn new(number: usize) -> Self {
        let uart = Self { base: UART[number] };
        write(uart.base + 0x10, 16);
        // Transmit and receive, and the receive interrupt.
        write(uart.base + 0x08, 0b1011);
        // SAFETY: interrupts stay masked by PRIMASK; the line only wakes the CPU.
        unsafe { NVIC::unmask(Irq(UART_IRQ[number])) };
        uart
    }

    fn has_octet(&self) -> bool {
        read(self.base + 0x04) & 0b10 != 0
    }
}

impl ErrorType for Uart {
    type Error = Infallible;
}

impl ReadReady for Uart {
    fn read_ready(&mut self) -> Result<bool, Infallible> {
        Ok(self.has_octet())
    }
}

impl Read for Uart {
    fn read(&mut self, octets: &mut [u8]) -> Result<usize, Infallible> {
        let Some(place) = octets.first_mut() else {
            return Ok(0);
        };
        while !self.has_octet() {}
        *place = read(self.base) as u8;
        Ok(1)
    }
}

impl Write for Uart {
    fn write(&mut self, octets: &[u8]) -> Result<usize, Infallible> {
        for octet in octets {
            while read(self.base + 0x04) & 0b01 != 0 {}
            write(self.base, u32::from(*octet));
        }
        Ok(octets.len())
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

/// Starts the counter of [`ticks`].
pub fn start_ticks() {
    write(TIMER + 0x04, u32::MAX);
    write(TIMER + 0x08, u32::MAX);
    write(TIMER, 1);
}

/// Ticks of 40 ns, counting down, and coming round after 170 s.
pub fn ticks() -> u32 {
    read(TIMER + 0x04)
}

/// Milliseconds since reset.
pub struct Clock {
    last: Cell<u32>,
    /// Ticks of the next millisecond, and whole ones.
    left: Cell<u32>,
    ms: Cell<u64>,
}

impl Clock {
    /// Starts the clock, and a wake-up every 10 ms.
    pub fn start() -> Self {
        start_ticks();
        write(SYSTICK + 0x04, 10 * TICKS_PER_MS - 1);
        write(SYSTICK + 0x08, 0);
        write(SYSTICK, 0b11);
        Self {
            last: Cell::new(u32::MAX),
            left: Cell::new(0),
            ms: Cell::new(0),
        }
    }

    /// Milliseconds since reset. To be asked at least every 170 s, before the counter comes round.
    pub fn now_ms(&self) -> u64 {
        let value = ticks();
        let passed = self.last.replace(value).wrapping_sub(value);
        let left = self.left.get() + passed % TICKS_PER_MS;
        self.left.set(left % TICKS_PER_MS);
        let ms = passed / TICKS_PER_MS + left / TICKS_PER_MS;
        self.ms.set(self.ms.get() + u64::from(ms));
        self.ms.get()
    }

    /// Sleeps until a UART has an octet or 10 ms have passed.
    pub fn sleep(&self) {
        cortex_m::asm::wfi();
        SCB::clear_pendst();
        for (base, irq) in UART.into_iter().zip(UART_IRQ) {
            write(base + 0x0c, 0b11);
            NVIC::unpend(Irq(irq));
        }
    }
}
