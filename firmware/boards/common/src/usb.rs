//! A serial port over USB (CDC ACM). Refuses an identity of its own: the numbers are those that pid.codes sets aside
//! for trials.

use core::convert::Infallible;

use embassy_usb::class::cdc_acm::{BufferedReceiver, CdcAcmClass, Sender, State};
use embassy_usb::driver::Driver;
use embassy_usb::{Builder, Config};
use static_cell::StaticCell;

use crate::port::Port;

const VENDOR: u16 = 0x1209;
const PRODUCT: u16 = 0x0001;
const PACKET: u16 = 64;
/// Octets of the descriptor of a device that is one serial port, rounded up.
const CONFIGURATION_LEN: usize = 80;

struct Buffers {
    configuration: [u8; CONFIGURATION_LEN],
    bos: [u8; 16],
    control: [u8; 64],
    packet: [u8; PACKET as usize],
    state: State<'static>,
}

/// The port of the host that `driver` is plugged into.
pub type Serial<D> = Port<BufferedReceiver<'static, D>, Sender<'static, D>>;

/// What serves the host, for ever, and the port. To be called once.
pub fn serial<D: Driver<'static>>(
    driver: D,
    product: &'static str,
) -> (impl Future<Output = Infallible>, Serial<D>) {
    static BUFFERS: StaticCell<Buffers> = StaticCell::new();
    let buffers = BUFFERS.init_with(|| Buffers {
        configuration: [0; CONFIGURATION_LEN],
        bos: [0; 16],
        control: [0; 64],
        packet: [0; PACKET as usize],
        state: State::new(),
    });
    let mut config = Config::new(VENDOR, PRODUCT);
    config.manufacturer = Some("Longwire");
    config.product = Some(product);
    let mut builder = Builder::new(
        driver,
        config,
        &mut buffers.configuration,
        &mut buffers.bos,
        &mut [],
        &mut buffers.control,
    );
    let class = CdcAcmClass::new(&mut builder, &mut buffers.state, PACKET);
    let (sender, receiver) = class.split();
    let receiver = receiver.into_buffered(&mut buffers.packet);
    let mut device = builder.build();
    let served = async move { device.run().await };
    (served, Port::new(receiver, sender))
}
