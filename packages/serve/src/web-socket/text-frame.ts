// A text as a frame of a server (RFC 6455 §5.2), whole. `ws` writes its head and its text one by one, each to the socket.

/** FIN, and the opcode of a text. */
const TEXT = 0x81
/** The largest length that stands in the second byte, and in two more. */
const MAX_SHORT = 125
const MAX_MEDIUM = 0xffff

/** The frame of a text: its bytes, or a string of which each character is one (latin1), which is cheaper to write. */
export function toTextFrame(text: string): string | Buffer {
  const length = Buffer.byteLength(text)
  if (length === text.length && length <= MAX_MEDIUM) return toHead(length) + text
  const headLength = length <= MAX_SHORT ? 2 : length <= MAX_MEDIUM ? 4 : 10
  const frame = Buffer.allocUnsafe(headLength + length)
  frame[0] = TEXT
  if (length <= MAX_SHORT) frame[1] = length
  else if (length <= MAX_MEDIUM) {
    frame[1] = 126
    frame.writeUInt16BE(length, 2)
  } else {
    frame[1] = 127
    frame.writeBigUInt64BE(BigInt(length), 2)
  }
  frame.write(text, headLength)
  return frame
}

function toHead(length: number): string {
  return length <= MAX_SHORT
    ? String.fromCharCode(TEXT, length)
    : String.fromCharCode(TEXT, 126, length >> 8, length & 0xff)
}
