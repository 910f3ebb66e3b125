//! What mps2-an386 has, as far as QEMU models it: two UARTs and a free-running clock. Refuses interrupt handlers:
//! the CPU sleeps until one is pending, and the main loop looks.

use core::fmt;

use cortex_m::peripheral::{NVIC, SCB, SYST};

const UART: [usize; 2] = [0x4000_4000, 0x4000_5000];
/// Receive interrupts of the two UARTs (ARM DAI 0386, table 4-1).
const UART_IRQ: [u16; 2] = [0, 2];
const TIMER: usize = 0x4000_0000;
/// Ticks of the timer in a millisecond: 25 MHz.
const TICKS_PER_MS: u32 = 25_000;

/// An interrupt line by its number.
#[derive(Clone, Copy)]
struct Irq(u16);

// SAFETY: the numbers come from the table above and are below the 32 lines of this part.
unsafe impl cortex_m::interrupt::InterruptNumber for Irq {
    fn number(self) -> u16 {
        self.0
    }
}

fn read(address: usize) -> u32 {
    // SAFETY: called only with addresses of peripheral registers of this board.
    unsafe { (address as *const u32).read_volatile() }
}

fn write(address: usize, value: u32) {
    // SAFETY: as for `read`.
    unsafe { (address as *mut u32).write_volatile(value) }
}

/// A CMSDK APB UART (ARM DDI 0479, section 4.3). QEMU models no bit rate.
pub struct Uart {
    base: usize,
    irq: Irq,
}

impl Uart {
    /// UART `number`, 0 or 1, switched on.
    pub fn new(number: usize) -> Self {
        let uart = Self {
            base: UART[number],
            irq: Irq(UART_IRQ[number]),
        };
        write(uart.base + 0x10, 16);
        // Transmit and receive, and the receive interrupt.
        write(uart.base + 0x08, 0b1011);
        // SAFETY: interrupts stay masked by PRIMASK; the line only wakes the CPU.
        unsafe { NVIC::unmask(uart.irq) };
        uart
    }

    /// An octet, if one came.
    pub fn read(&self) -> Option<u8> {
        (read(self.base + 0x04) & 0b10 != 0).then(|| read(self.base) as u8)
    }

    /// Sends an octet, waiting for room.
    pub fn write(&self, octet: u8) {
        while read(self.base + 0x04) & 0b01 != 0 {}
        write(self.base, u32::from(octet));
    }

    fn rearm(&self) {
        write(self.base + 0x0c, 0b11);
        NVIC::unpend(self.irq);
    }
}

impl fmt::Write for Uart {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.bytes().for_each(|octet| self.write(octet));
        Ok(())
    }
}

/// Milliseconds since reset.
pub struct Clock {
    last: u32,
    ticks: u64,
    systick: SYST,
}

impl Clock {
    /// Starts the clock, and a wake-up every 10 ms.
    pub fn new(mut systick: SYST) -> Self {
        write(TIMER + 0x04, u32::MAX);
        write(TIMER + 0x08, u32::MAX);
        write(TIMER, 1);
        systick.set_reload(10 * TICKS_PER_MS - 1);
        systick.clear_current();
        systick.enable_counter();
        systick.enable_interrupt();
        Self {
            last: u32::MAX,
            ticks: 0,
            systick,
        }
    }

    /// Milliseconds since reset. To be asked at least every 170 s, before the counter comes round.
    pub fn now_ms(&mut self) -> u64 {
        let value = read(TIMER + 0x04);
        self.ticks += u64::from(self.last.wrapping_sub(value));
        self.last = value;
        self.ticks / u64::from(TICKS_PER_MS)
    }

    /// Sleeps until a UART has an octet or 10 ms have passed.
    pub fn sleep(&mut self, uarts: &[&Uart]) {
        cortex_m::asm::wfi();
        SCB::clear_pendst();
        let _ = self.systick.has_wrapped();
        uarts.iter().for_each(|uart| uart.rearm());
    }
}
