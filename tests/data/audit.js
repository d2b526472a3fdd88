// Hot functions, objects and a regular expression, for Node. Argument: rounds.
const rounds = Number(process.argv[2] || 1);

function step(sum, i) {
	return (sum * 31 + i) % 1000003;
}

let sum = 0;
for (let round = 0; round < rounds; round++) {
	const words = [];

	for (let i = 0; i < 300000; i++) {
		sum = step(sum, i);
		if (i % 10 === 0)
			words.push({ word: String(sum) });
	}
	for (const { word } of words)
		if (/^(\d)\d*\1$/.test(word))
			sum = step(sum, word.length);
}
console.log(sum);
