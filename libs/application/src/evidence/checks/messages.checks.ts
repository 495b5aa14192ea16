import { identifyContract, sha256Hex } from '@v402/contract';
import { dealOf } from '../../intake/inbound-message.js';
import { sealOf } from '../evidence-file.js';
import { compareMembers, same, type EvidenceCheck } from './evidence-check.js';

export const sealCheck: EvidenceCheck = {
  code: 'seal',
  proves: 'The file is as it was written: `sealed` is the digest of everything else in it.',
  run: ({ file }, fail) => {
    if (sealOf(file) !== file.sealed) fail('/sealed', 'is not the digest of the rest: something was changed');
    return true;
  },
};

export const messageBytesCheck: EvidenceCheck = {
  code: 'message_bytes',
  proves: 'The messages are those that the decisions name: each one has the recorded size and SHA-256.',
  run: ({ file }, fail) => {
    let isWhole = false;
    file.messages.forEach(({ rawDigest, size, truncated, bytes }, index) => {
      const content = Buffer.from(bytes, 'base64');
      const where = `/messages/${index}`;
      if (content.toString('base64') !== bytes) fail(`${where}/bytes`, 'is no canonical base64');
      if (truncated) {
        if (size <= 1_000_000 || content.length !== 4_096) fail(where, 'a message is cut only over 1,000,000 bytes');
        return;
      }
      isWhole = true;
      if (content.length !== size) fail(`${where}/size`, 'is not the number of bytes');
      if (sha256Hex(content) !== rawDigest) fail(`${where}/rawDigest`, 'is not the SHA-256 of the bytes');
    });
    return isWhole;
  },
};

export const identityCheck: EvidenceCheck = {
  code: 'contract_identity',
  proves: 'The contractId is the SHA-256 of the canonical form of the contract in the message that was decided.',
  run: ({ file, identified }, fail) => {
    const { contract, subject, deal, decisions } = file;
    if (contract === null) {
      const decided = decisions.findIndex(({ outcome }) => outcome === 'accepted' || outcome === 'quarantined');
      if (decided !== -1) fail(`/decisions/${decided}/outcome`, 'there is no contract in the file');
      return false;
    }
    if (identified === undefined) {
      fail('/contract', 'no message of the file that was accepted or quarantined holds a contract');
      return true;
    }
    const { contractId, shortRef, canonical, envelope } = identified;
    const read = { contractId, shortRef, canonical: Buffer.from(canonical).toString('utf8') };
    const signatures = envelope.signatures.map((each) => ({ ...each }));
    compareMembers(contract, { ...read, signatures }, '/contract', 'the message', fail);
    if (!same(identifyContract(envelope.contract).contractId, contract.contractId)) {
      fail('/contract/contractId', 'is not the digest of the canonical form');
    }
    if (subject.kind === 'contract' && subject.contractId !== contractId) {
      fail('/subject/contractId', 'is another contract');
    }
    if (deal === null) fail('/deal', 'a contract belongs to a deal');
    else compareMembers(deal, { ...dealOf(envelope.contract) }, '/deal', 'the contract', fail);
    return true;
  },
};

export const decisionsCheck: EvidenceCheck = {
  code: 'decisions',
  proves: 'Every message has its decision, and each decision names the contract that the message holds.',
  run: ({ file, readMessage }, fail) => {
    const { decisions, messages, rejections, settlement, subject } = file;
    const digests = new Set(messages.map(({ rawDigest }) => rawDigest));
    decisions.forEach((decision, index) => {
      const where = `/decisions/${index}`;
      const { rawDigest, contractId, outcome, code } = decision;
      if (!digests.has(rawDigest)) fail(`${where}/rawDigest`, 'names no message of the file');
      const read = readMessage(rawDigest);
      const found = read?.ok === true ? read.identified.contractId : null;
      if (read !== undefined && outcome !== 'undecidable' && contractId !== found) {
        fail(`${where}/contractId`, 'is not that of the message');
      }
      if (subject.kind === 'contract' && contractId !== subject.contractId) {
        fail(`${where}/contractId`, 'is not that of the file');
      }
      if (subject.kind === 'message' && rawDigest !== subject.rawDigest) {
        fail(`${where}/rawDigest`, 'is not that of the file');
      }
      if ((outcome === 'accepted') !== (code === null)) fail(`${where}/code`, 'only what is accepted has no code');
      const isRejection = rejections.some((each) => each.rawDigest === rawDigest && each.code === code);
      if (outcome === 'rejected' && !isRejection) fail(`${where}/code`, 'has no rejection in the file');
    });
    rejections.forEach(({ rawDigest, code }, index) => {
      const decided = decisions.some((each) => each.rawDigest === rawDigest && each.code === code);
      if (!decided) fail(`/rejections/${index}/code`, 'has no decision in the file');
    });
    messages.forEach(({ rawDigest }, index) => {
      const decided = decisions.some((each) => each.rawDigest === rawDigest);
      if (!decided) fail(`/messages/${index}/rawDigest`, 'has no decision in the file');
    });
    const accepted = decisions.filter(({ outcome }) => outcome === 'accepted').length;
    if (accepted !== (settlement === null ? 0 : 1))
      fail('/decisions', 'a settlement has one acceptance, and else none');
    return true;
  },
};
