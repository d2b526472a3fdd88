/* Hot methods, objects, a null reference caught, for Mono. The argument says how
 * many rounds. */
using System;
using System.Collections.Generic;
using System.Threading;

class Audit
{
	static int Step(int sum, int i)
	{
		return (int) ((sum * 31L + i) % 1000003);
	}

	static int Round(int sum)
	{
		var words = new List<string>();

		for (int i = 0; i < 300000; i++) {
			sum = Step(sum, i);
			if (i % 10 == 0)
				words.Add(sum.ToString());
		}
		return Step(sum, String.Join(",", words).Length);
	}

	static void Main(string[] arguments)
	{
		int rounds = arguments.Length > 0 ? Int32.Parse(arguments[0]) : 1;
		int sum = 0;
		var thread = new Thread(() => {
			for (int i = 0; i < rounds; i++)
				sum = Round(sum);
		});

		thread.Start();
		thread.Join();
		try {
			string nothing = rounds > 0 ? null : "";
			sum += nothing.Length;
		} catch (NullReferenceException) {
			sum++;
		}
		Console.WriteLine(sum);
	}
}
