// hot.js: for SpiderMonkey and JavaScriptCore: hot functions, objects, exceptions,
// regular expressions.

function step(sum, i) {
	return (sum * 31 + i) % 1000003;
}

function strings(sum) {
	const words = [];
	for (let i = 0; i < 40000; i++) {
		sum = step(sum, i);
		if (i % 10 === 0)
			words.push({ word: String(sum) });
	}
	for (const { word } of words)
		if (/^(\d)\d*\1$/.test(word))
			sum = step(sum, word.length);
	return sum;
}

function exceptions(sum) {
	for (let i = 0; i < 2000; i++)
		try {
			sum = step(sum, i % 100 ? i : null.length);
		} catch (error) {
			sum = step(sum, 1);
		}
	return sum;
}

// A function of its own for each round, so that there is always something to
// compile.
function made(sum, k) {
	const f = new Function('sum', `for (let i = 0; i < 3000; i++)
		sum = (sum * ${k} + i) % 1000003; return sum`);
	return f(sum);
}

function everything(rounds) {
	let sum = rounds;
	for (let k = 0; k < rounds; k++)
		sum = made(exceptions(strings(sum)), k + 2);
	return sum;
}
