/* hash.h: what a word is multiplied by, so that all its bits count in the highest: 2^64
 * by the golden ratio (Knuth, The Art of Computer Programming, 6.4). */
#ifndef JITMEND_HASH_H
#define JITMEND_HASH_H

#define HASH_FACTOR 0x9e3779b97f4a7c15ULL

#endif
