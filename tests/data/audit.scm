;; A hot loop and strings, for Guile. The argument says how many rounds.
(define (step sum i)
  (modulo (+ (* sum 31) i) 1000003))

(define (one-round sum)
  (let loop ((i 0) (sum sum) (words '()))
    (if (= i 100000)
        (step sum (string-length (apply string-append words)))
        (let ((sum (step sum i)))
          (loop (+ i 1) sum
                (if (= 0 (modulo i 10)) (cons (number->string sum) words) words))))))

(let ((arguments (cdr (command-line))))
  (let loop ((rounds (if (null? arguments) 1 (string->number (car arguments)))) (sum 0))
    (if (> rounds 0)
        (loop (- rounds 1) (one-round sum))
        (begin (display sum) (newline)))))
