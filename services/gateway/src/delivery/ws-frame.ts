/** FIN and opcode 1 (RFC 6455, 5.2). A server never masks. */
const finalText = 0x81;

export function textFrameHeadLength(length: number): number {
  if (length < 126) return 2;
  return length < 65_536 ? 4 : 10;
}

/** Writes the head of a text frame and answers the offset behind it. */
export function putTextFrameHead(target: Buffer, offset: number, length: number): number {
  target[offset] = finalText;
  if (length < 126) {
    target[offset + 1] = length;
    return offset + 2;
  }
  if (length < 65_536) {
    target[offset + 1] = 126;
    return target.writeUInt16BE(length, offset + 2);
  }
  target[offset + 1] = 127;
  return target.writeBigUInt64BE(BigInt(length), offset + 2);
}

/** One whole unfragmented text frame. */
export function textFrame(payload: Buffer): Buffer {
  const frame = Buffer.allocUnsafe(textFrameHeadLength(payload.length) + payload.length);
  payload.copy(frame, putTextFrameHead(frame, 0, payload.length));
  return frame;
}
