import type { Language } from './phrases.ts';

export interface Speaker {
  name: string;
  languages: readonly Language[];
}

/** Forty people who chat; most speak a second language with the others. */
export const people: readonly Speaker[] = [
  { name: 'Ada', languages: ['english'] },
  { name: 'Owen', languages: ['english', 'welsh'] },
  { name: 'Giulia', languages: ['italian', 'english'] },
  { name: 'Zoë', languages: ['dutch', 'english'] },
  { name: 'Jürgen', languages: ['german', 'english'] },
  { name: 'François', languages: ['french'] },
  { name: 'Íñigo', languages: ['spanish'] },
  { name: 'João', languages: ['portuguese', 'spanish'] },
  { name: 'Łukasz', languages: ['polish', 'german'] },
  { name: 'Çağrı', languages: ['turkish'] },
  { name: 'Þóra', languages: ['icelandic', 'english'] },
  { name: 'Nguyễn Ánh', languages: ['vietnamese'] },
  { name: 'Ольга', languages: ['russian'] },
  { name: 'Оксана', languages: ['ukrainian'] },
  { name: 'Ελένη', languages: ['greek', 'english'] },
  { name: 'ليلى', languages: ['arabic'] },
  { name: 'يوسف', languages: ['arabic', 'french'] },
  { name: 'نیلوفر', languages: ['persian'] },
  { name: 'عائشہ', languages: ['urdu', 'english'] },
  { name: 'נועה', languages: ['hebrew', 'english'] },
  { name: 'איתן', languages: ['hebrew'] },
  { name: 'प्रिया', languages: ['hindi', 'english'] },
  { name: 'অনন্যা', languages: ['bengali'] },
  { name: 'கவிதா', languages: ['tamil', 'english'] },
  { name: 'สมชาย', languages: ['thai'] },
  { name: '李娜', languages: ['chinese'] },
  { name: '陳大文', languages: ['chinese', 'english'] },
  { name: 'さくら', languages: ['japanese'] },
  { name: '健太', languages: ['japanese', 'english'] },
  { name: '김민준', languages: ['korean'] },
  { name: 'ሰላም', languages: ['amharic', 'english'] },
  { name: 'ნინო', languages: ['georgian'] },
  { name: 'Արամ', languages: ['armenian', 'russian'] },
  { name: 'Wanjiru', languages: ['swahili', 'english'] },
  { name: 'Kōji 🎮', languages: ['japanese', 'emoji'] },
  { name: 'Pixel🦊', languages: ['emoji', 'english'] },
  { name: 'Anouk', languages: ['french', 'dutch'] },
  { name: 'Tomás', languages: ['spanish', 'english'] },
  { name: 'Mei 美', languages: ['chinese', 'emoji'] },
  { name: 'R2-D2_π', languages: ['symbols', 'english'] },
];
